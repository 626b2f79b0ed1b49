#include "app/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cherax::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

json::value yaml(const std::string& text) { return Document::parse(text, "c.yaml").root(); }

std::string error_of(const std::string& text, const std::string& path) {
  try {
    Document::parse(text, path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    return error.message();
  }
  return "no error";
}

constexpr const char* kYaml = R"(# a comment
node:
  root: "/srv/a b"
  parallel: {downloads: 3, uploads: "4"}
  nothing:
  also_nothing: ~
  none: null
copy: true
names:
- one
- 'two'
- 3
- -4
- - nested
  - no: False
text: |
  -----BEGIN PUBLIC KEY-----
  AAAA
  -----END PUBLIC KEY-----
)";
constexpr const char* kJson = R"({
  "node": {
    "root": "/srv/a b",
    "parallel": {"downloads": 3, "uploads": "4"},
    "nothing": null, "also_nothing": null, "none": null
  },
  "copy": true,
  "names": ["one", "two", 3, -4,
    ["nested", {"no": false}]],
  "text": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
})";

TEST(Document, IsTheSameValueFromYamlAndJson) { EXPECT_EQ(yaml(kYaml), Document::parse(kJson, "c.json").root()); }

TEST(Document, IsYamlUnlessItsNameSaysJson) {
  EXPECT_EQ(Document::parse("a: 1", "cherax.conf").root(), (json::object{{"a", 1}}));
  EXPECT_EQ(yaml(kJson), yaml(kYaml)) << "JSON is YAML, too";
}

TEST(Document, TakesAnEmptyFileAsNothing) { EXPECT_TRUE(yaml("# nothing\n").is_null()); }

TEST(Document, QuotedScalarsAreText) {
  EXPECT_EQ(yaml("a: \"1\"\nb: 'true'\nc: \"\"\nd: 'null'"),
            (json::object{{"a", "1"}, {"b", "true"}, {"c", ""}, {"d", "null"}}));
}

// A password, a name of a rack or of a key may look like a number: what is written must be what arrives.
TEST(Document, AScalarThatIsReadAsTextIsWhatWasWritten) {
  for (const std::string text : {"0123", "1.10", "1.5", "1e5", "12345678901234567890123", "inf", "nan", "infinity",
                                 "-0", "+7", "0x1F", "1_000", ".5", "2026-01-01", "yes"}) {
    json::Reader reader{{.coerce = true}};
    std::string read;
    const json::value root = yaml("password: " + text);
    EXPECT_TRUE(reader.read(root.as_object().at("password"), read));
    EXPECT_EQ(read, text);
  }
}

TEST(Document, SaysWhereEachKeyStands) {
  const auto document = Document::parse(kYaml, "/etc/c.yaml");
  EXPECT_EQ(document.where({"node"}), "/etc/c.yaml:2");
  EXPECT_EQ(document.where({"node", "root"}), "/etc/c.yaml:3");
  EXPECT_EQ(document.where({"node", "parallel", "uploads"}), "/etc/c.yaml:4");
  EXPECT_EQ(document.where({"names", std::size_t{1}}), "/etc/c.yaml:11");
  EXPECT_EQ(document.where({"names", std::size_t{4}, std::size_t{1}, "no"}), "/etc/c.yaml:15");
  EXPECT_EQ(document.where({"node", "missing"}), "/etc/c.yaml:2") << "where it would have to stand";
  EXPECT_EQ(document.where({"absent"}), "/etc/c.yaml:2") << "the document begins there";
}

TEST(Document, SaysWhereEachKeyStandsInJson) {
  const auto document = Document::parse(kJson, "c.json");
  EXPECT_EQ(document.where({"node", "parallel", "uploads"}), "c.json:4");
  EXPECT_EQ(document.where({"names", std::size_t{4}, std::size_t{1}, "no"}), "c.json:9");
}

TEST(Document, SaysWhereEachKeyStandsInJsonThatIsIndentedByTabs) {
  const auto document = Document::parse("{\n\t\"node\": {\n\t\t\"root\":\t\"/a\"\n\t}\n}\n", "c.json");
  EXPECT_EQ(document.root(), (json::object{{"node", json::object{{"root", "/a"}}}}));
  EXPECT_EQ(document.where({"node", "root"}), "c.json:3");
}

TEST(Document, ListsEveryProblemWithFileLineAndPath) {
  const auto document = Document::parse(kYaml, "c.yaml");
  json::Reader reader{{}};
  for (const json::Path& path : {json::Path{"names", std::size_t{2}}, json::Path{"node", "db_path"}}) {
    reader.at_path(
        path, [&] { return reader.add_problem(json::Problem::Kind::wrong_type, json::Problem::Type::text, "text"); });
  }
  const Error error = document.error(reader.problems());
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_EQ(error.message(), "c.yaml:12: names[2]: expected text\nc.yaml:2: node.db_path: expected text");
}

TEST(Document, RefusesAKeyThatStandsThereTwice) {
  EXPECT_THAT(error_of("a:\n  b: 1\n  c: 2\n  b: 3\n", "x.yaml"),
              AllOf(StartsWith("x.yaml"), HasSubstr("4"), HasSubstr("a.b"), HasSubstr("twice")));
  EXPECT_THAT(error_of("{\n\"a\": {\"b\": 1,\n\"b\": 1}}", "x.json"),
              AllOf(StartsWith("x.json"), HasSubstr("3"), HasSubstr("a.b"), HasSubstr("twice")));
  EXPECT_THAT(error_of("{\n\t\"a\": 1,\n\t\"a\": 2\n}", "x.json"), AllOf(HasSubstr("3"), HasSubstr("twice")))
      << "with tabs";
}

TEST(Document, SaysWhereItIsBroken) {
  EXPECT_THAT(error_of("a: 1\nb: [1, 2\nc: 3\n", "x.yaml"), StartsWith("x.yaml:"));
  EXPECT_THAT(error_of("a: 1\n b: 2\n", "x.yaml"), StartsWith("x.yaml:2: not YAML"));
  EXPECT_THAT(error_of("{\n\"a\": 1,\n\"b\": }\n", "x.json"), StartsWith("x.json:3: not JSON"));
  EXPECT_THAT(error_of("{\"a\": 1} trailing", "x.json"), StartsWith("x.json:1: not JSON"));
}

TEST(Document, RefusesBottomlessNesting) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_THAT(error_of(deep, "x.yaml"), StartsWith("x.yaml"));
  EXPECT_THAT(error_of(deep, "x.json"), StartsWith("x.json"));
}

TEST(Document, RefusesAliasesThatContainThemselves) {
  EXPECT_THAT(error_of("a: &a\n  b: *a\n", "x.yaml"), StartsWith("x.yaml"));
}

TEST(Document, AFileThatIsNotThereIsNamed) {
  try {
    Document::load("/no/such/cherax.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.message(), HasSubstr("/no/such/cherax.yaml"));
  }
}

}  // namespace
}  // namespace cherax::app
