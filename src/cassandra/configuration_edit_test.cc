#include "cassandra/configuration_edit.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>

namespace cherax::cassandra {
namespace {

constexpr std::string_view kOurs = "# Set by Cherax; the lines above that they replace are commented out.\n";

const std::vector<Change> kRestore{
    {"auto_bootstrap", false}, {"initial_token", std::string{"-1,5"}}, {"num_tokens", std::int64_t{2}}};
const std::string kRestoreText = std::string{kOurs} + "auto_bootstrap: false\ninitial_token: \"-1,5\"\nnum_tokens: 2\n";

TEST(ConfigurationEdit, CommentsOutAndAppends) {
  EXPECT_EQ(edit("# top\ncluster_name: a   # name\nnum_tokens: 16\n\n# end\n", kRestore).value(),
            "# top\ncluster_name: a   # name\n#num_tokens: 16\n\n# end\n" + kRestoreText);
}

TEST(ConfigurationEdit, WithoutTheKeysOnlyAppends) {
  EXPECT_EQ(edit("a: 1", kRestore).value(), "a: 1\n" + kRestoreText);
}

TEST(ConfigurationEdit, TakesContinuationLinesWithTheirKey) {
  const std::vector<Change> changes{{"list", std::string{"x"}}};
  const std::string ours = std::string{kOurs} + "list: \"x\"\n";
  EXPECT_EQ(edit("a: 1\nlist:\n  - one\n  # between\n\n  - two\n\n# of b\nb: 2\n", changes).value(),
            "a: 1\n#list:\n#  - one\n  # between\n\n#  - two\n\n# of b\nb: 2\n" + ours);
  EXPECT_EQ(edit("list:\n- one\n- two\nb: 2\n", changes).value(), "#list:\n#- one\n#- two\nb: 2\n" + ours);
  EXPECT_EQ(edit("list: [one,\n  two,\n# inside\n  three]\nb: 2\n", changes).value(),
            "#list: [one,\n#  two,\n# inside\n#  three]\nb: 2\n" + ours);
  EXPECT_EQ(edit("\"list\": 'one\n\n  two'\nb: 2\n", changes).value(), "#\"list\": 'one\n\n#  two'\nb: 2\n" + ours);
  EXPECT_EQ(edit("list: |\n  # text\n  more\nb: 2\n", changes).value(), "#list: |\n  # text\n#  more\nb: 2\n" + ours);
  EXPECT_EQ(edit("list: one\n  two\nb: 2\n", changes).value(), "#list: one\n#  two\nb: 2\n" + ours);
}

TEST(ConfigurationEdit, NestedKeysOfTheSameNameStay) {
  EXPECT_EQ(edit("x:\n  num_tokens: 1\n", {{"num_tokens", std::int64_t{2}}}).value(),
            "x:\n  num_tokens: 1\n" + std::string{kOurs} + "num_tokens: 2\n");
}

TEST(ConfigurationEdit, EveryOneOfEqualKeysIsTaken) {
  EXPECT_EQ(edit("n: 1\na: 1\nn: 2\n", {{"n", std::int64_t{3}}}).value(),
            "#n: 1\na: 1\n#n: 2\n" + std::string{kOurs} + "n: 3\n");
}

TEST(ConfigurationEdit, KeepsDocumentMarkersAndLineEnds) {
  EXPECT_EQ(edit("%YAML 1.2\n---\r\na: 1\r\nn: 1\r\n...\n# after\n", {{"n", true}}).value(),
            "%YAML 1.2\n---\r\na: 1\r\n#n: 1\r\n" + std::string{kOurs} + "n: true\n...\n# after\n");
}

TEST(ConfigurationEdit, IndentedTopLevelStaysIndented) {
  EXPECT_EQ(edit("  a: 1\n  n: 1\n", {{"n", std::int64_t{2}}}).value(),
            "  a: 1\n#  n: 1\n  " + std::string{kOurs} + "  n: 2\n");
}

TEST(ConfigurationEdit, TextIsQuoted) {
  const std::string odd = "a\"b\\c: #d\n";
  const auto text = edit("a: 1\n", {{"n", odd}}).value();
  EXPECT_EQ(YAML::Load(text)["n"].Scalar(), odd);
}

TEST(ConfigurationEdit, WhatCannotBeEditedIsInvalid) {
  for (std::string_view yaml : {"{a: 1, n: 2}\n", "- a\n", "text\n", "", "# nothing\n", "a: [\n", "a: 1\n---\nn: 2\n",
                                "n: &x 1\na: *x\n", "? n\n: 1\na: 2\n", "? [n]\n: 1\n"}) {
    const auto text = edit(yaml, {{"n", true}});
    ASSERT_FALSE(text) << yaml << "\n" << text.value();
    EXPECT_EQ(text.error().kind(), ErrorKind::invalid);
  }
}

// --- a generated file reads as before, with ours in place
// -------------------------------------------------------------

rc::Gen<std::string> value_text() {
  return rc::gen::element<std::string>(
      " 5", " text # comment", " 'quoted: # text'", " \"two\n    lines\"",
      "\n    - a\n    # between\n    - b: [1,\n        2]", "\n- a\n- b", " {x: 1,\n    y: {z: [2]}}",
      " |\n    # block\n    lines\n\n    more", " >-\n    folded\n    text", " plain\n    going on",
      "\n    nested:\n        num_tokens: 1", " &anchor x", "", " ~", " [\n    # none\n  ]");
}

rc::Gen<std::string> between() {
  return rc::gen::element<std::string>("\n", "\n\n", "\n# num_tokens: 7\n", "\n   # indented\n\n", "\r\n");
}

RC_GTEST_PROP(ConfigurationEdit, ReadsAsTheOldMapWithOurKeysReplaced, ()) {
  static const std::vector<std::string> kKeys{"a",  "\"b\"", "'c'", "num_tokens", "\"initial_token\"", "auto_bootstrap",
                                              "d e"};
  std::string yaml = *rc::gen::element<std::string>("", "# top\n", "---\n", "\n\n");
  auto keys = *rc::gen::unique<std::vector<std::string>>(rc::gen::elementOf(kKeys));
  if (keys.empty()) keys = {"a"};
  for (const std::string& key : keys) yaml += key + ":" + *value_text() + *between();
  if (*rc::gen::arbitrary<bool>()) yaml += "...\n";

  const auto edited = edit(yaml, kRestore);
  RC_ASSERT(edited.has_value());
  const YAML::Node before = YAML::Load(yaml);
  const YAML::Node after = YAML::Load(*edited);
  std::map<std::string, std::string> expected;
  for (const auto& entry : before) expected[entry.first.Scalar()] = YAML::Dump(entry.second);
  expected["auto_bootstrap"] = "false";
  expected["initial_token"] = YAML::Dump(YAML::Load("\"-1,5\""));
  expected["num_tokens"] = "2";
  std::map<std::string, std::string> found;
  for (const auto& entry : after) RC_ASSERT(found.emplace(entry.first.Scalar(), YAML::Dump(entry.second)).second);
  RC_ASSERT(found == expected);

  // Byte for byte: without the '#'s that were put in front of lines, the old text is the start of the new.
  std::string_view rest = *edited;
  for (std::string_view old = yaml; !old.empty();) {
    const std::string_view line = old.substr(0, std::min(old.find('\n'), old.size() - 1) + 1);
    if (line.starts_with("...")) break;
    if (!rest.starts_with(line)) {
      RC_ASSERT(rest.starts_with('#'));
      rest.remove_prefix(1);
    }
    RC_ASSERT(rest.starts_with(line));
    rest.remove_prefix(line.size());
    old.remove_prefix(line.size());
  }
}

}  // namespace
}  // namespace cherax::cassandra
