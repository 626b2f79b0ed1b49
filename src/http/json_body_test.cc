#include "http/json_body.h"

#include <gtest/gtest.h>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <functional>
#include <optional>

namespace cherax::http {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Inner {
  static constexpr std::array kRequired{"size"};
  std::int64_t size = 0;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (size))

struct Sample {
  static constexpr std::array kRequired{"name"};
  std::string name;
  std::int64_t count = 7;
  double rate = 0;
  bool fast = false;
  Colour colour = Colour::red;
  std::vector<Inner> parts;
  std::map<std::string, std::int64_t> sizes;
};
BOOST_DESCRIBE_STRUCT(Sample, (), (name, count, rate, fast, colour, parts, sizes))

struct AllOptional {
  std::string name = "the default";
};
BOOST_DESCRIBE_STRUCT(AllOptional, (), (name))

Request request_of(std::string body, std::optional<std::string> content_type = {}) {
  Request request;
  request.body = Body{std::move(body)};
  if (content_type) request.headers.add("content-type", *content_type);
  return request;
}

/// Status and body of the ResponseError that `work` throws; status 0 when it throws none.
std::pair<int, json::value> refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const ResponseError& error) {
    return {error.response.status, json::parse(error.response.body.text(kBodyInMemory)).value()};
  }
  return {0, nullptr};
}

std::pair<int, json::value> refusal_of(std::string body) {
  return refusal([&] { read_body<Sample>(request_of(body)); });
}

/// A 422 with these entries.
std::pair<int, json::value> unprocessable_of(const std::string& entries) {
  return {422, json::object{{"detail", json::parse("[" + entries + "]").value()}}};
}

TEST(ReadBody, ReadsTheBodysMembersAndIgnoresUnknownOnes) {
  const auto body = read_body<Sample>(request_of(R"({"name":"x","other":1,"parts":[{"size":2}],"colour":"green"})"));
  EXPECT_EQ(body.name, "x");
  EXPECT_EQ(body.parts.at(0).size, 2);
  EXPECT_EQ(body.colour, Colour::green);
  EXPECT_EQ(body.count, 7);
}

TEST(ReadBody, CoercesAsPydanticDoes) {
  const auto body = read_body<Sample>(request_of(R"({"name":5,"count":"3","fast":true})"));
  EXPECT_EQ(body.name, "5");
  EXPECT_EQ(body.count, 3);
  EXPECT_EQ(read_body<Sample>(request_of(R"({"name":true})")).name, "true");
}

TEST(ReadBody, ANullMemberCountsAsAbsent) {
  EXPECT_EQ(read_body<Sample>(request_of(R"({"name":"x","count":null})")).count, 7);
  EXPECT_EQ(refusal_of(R"({"name":null})"),
            unprocessable_of(R"({"loc":["body","name"],"msg":"field required","type":"value_error.missing"})"));
}

TEST(ReadBody, WordsEachProblemAsPydanticDoes) {
  const auto words_for = [](const std::string& member) { return refusal_of(R"({"name":"x",)" + member + "}"); };
  EXPECT_EQ(
      words_for(R"("count":"many")"),
      unprocessable_of(R"({"loc":["body","count"],"msg":"value is not a valid integer","type":"type_error.integer"})"));
  EXPECT_EQ(
      words_for(R"("rate":"fast")"),
      unprocessable_of(R"({"loc":["body","rate"],"msg":"value is not a valid float","type":"type_error.float"})"));
  EXPECT_EQ(words_for(R"("fast":[])"),
            unprocessable_of(
                R"({"loc":["body","fast"],"msg":"value could not be parsed to a boolean","type":"type_error.bool"})"));
  for (const char* no_list : {R"("parts":{})", R"("parts":"x")"}) {
    EXPECT_EQ(words_for(no_list),
              unprocessable_of(
                  R"({"loc":["body","parts"],"msg":"value is not a valid sequence","type":"type_error.sequence"})"));
  }
  EXPECT_EQ(words_for(R"("sizes":[])"),
            unprocessable_of(R"({"loc":["body","sizes"],"msg":"value is not a valid dict","type":"type_error.dict"})"));
  EXPECT_EQ(refusal_of(R"({"name":["x"]})"),
            unprocessable_of(R"({"loc":["body","name"],"msg":"str type expected","type":"type_error.str"})"));
  EXPECT_EQ(words_for(R"("colour":"blue")"),
            unprocessable_of(
                R"({"loc":["body","colour"],"msg":"value is not a valid enumeration member; permitted: 'red', 'green'",
              "type":"type_error.enum","ctx":{"enum_values":["red","green"]}})"));
}

TEST(ReadBody, TellsWhereInAList) {
  EXPECT_EQ(
      refusal_of(R"({"name":"x","parts":[{"size":1},{}]})"),
      unprocessable_of(R"({"loc":["body","parts",1,"size"],"msg":"field required","type":"value_error.missing"})"));
}

TEST(ReadBody, ListsEveryProblem) {
  EXPECT_EQ(refusal_of(R"({"count":[],"parts":5})"),
            unprocessable_of(
                R"({"loc":["body","name"],"msg":"field required","type":"value_error.missing"},
             {"loc":["body","count"],"msg":"value is not a valid integer","type":"type_error.integer"},
             {"loc":["body","parts"],"msg":"value is not a valid sequence","type":"type_error.sequence"})"));
}

TEST(ReadBody, SaysWhereJsonIsBroken) {
  const auto [status, body] = refusal_of(R"({"name": })");
  EXPECT_EQ(status, 422);
  ASSERT_EQ(body.at("detail").as_array().size(), 1U);
  const auto& entry = body.at("detail").at(0).as_object();
  EXPECT_EQ(entry.at("type"), "json_invalid");
  EXPECT_EQ(entry.at("msg"), "JSON decode error");
  EXPECT_EQ(entry.at("loc"), (json::array{"body", 9}));
  EXPECT_EQ(entry.at("input"), json::object{});
  EXPECT_TRUE(entry.at("ctx").at("error").is_string());
}

TEST(ReadBody, NoBodyMeansDefaultsWhateverItsType) {
  EXPECT_EQ(read_body<AllOptional>(request_of("")).name, "the default");
  EXPECT_EQ(read_body<AllOptional>(request_of("", "text/plain")).name, "the default");
  EXPECT_EQ(read_body<AllOptional>(request_of("null")).name, "the default");
}

TEST(ReadBody, IsJsonWithoutAContentTypeOrWithOneOfJson) {
  for (const char* type : {"application/json", "application/json; charset=utf-8", "Application/JSON",
                           "application/merge-patch+json", "application/Vnd.Api+JSON", "application/json ;charset=x"}) {
    EXPECT_TRUE(is_json(request_of("{}", type))) << type;
  }
  EXPECT_TRUE(is_json(request_of("{}")));
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json",
                           "application/json-seq", "application/octet-stream"}) {
    EXPECT_FALSE(is_json(request_of("{}", type))) << type;
  }
}

// curl -d '{"name": …}' sends application/x-www-form-urlencoded: what it says must not be passed over silently, or a
// restore of one backup becomes a restore of the latest.
TEST(ReadBody, RefusesABodyThatIsNoJsonObjectEvenWhereEveryMemberIsOptional) {
  const auto required =
      unprocessable_of(R"({"loc":["body","name"],"msg":"field required","type":"value_error.missing"})");
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(refusal([&] { read_body<AllOptional>(request_of(R"({"name":"x"})", type)); }), required) << type;
  }
  for (const char* body : {"[]", R"("x")", "5", "[{}]"}) {
    EXPECT_EQ(refusal([&] { read_body<AllOptional>(request_of(body)); }), required) << body;
  }
}

TEST(ReadQuery, ReadsTextsAndNumbersAndTheLastOfSeveral) {
  Request request;
  request.set_target("/x?name=a%20b&count=1&count=12");
  const auto query = read_query<Sample>(request);
  EXPECT_EQ(query.name, "a b");
  EXPECT_EQ(query.count, 12);
  request.set_target("/x?count=1.5");
  EXPECT_EQ(refusal([&] { read_query<Sample>(request); }),
            unprocessable_of(
                R"({"loc":["query","name"],"msg":"field required","type":"value_error.missing"},
                   {"loc":["query","count"],"msg":"value is not a valid integer","type":"type_error.integer"})"));
}

TEST(PathInteger, TakesWhatPythonTakes) {
  const auto number = [](std::string text) {
    Request request;
    request.path_parameters = {{"op_id", std::move(text)}};
    return path_integer(request, "op_id");
  };
  EXPECT_EQ(number("1"), 1);
  EXPECT_EQ(number("01"), 1);
  EXPECT_EQ(number("-1"), -1);
  for (const char* text : {"", "x", "1x", "1.0"}) {
    EXPECT_EQ(refusal([&] { number(text); }),
              unprocessable_of(
                  R"({"loc":["path","op_id"],"msg":"value is not a valid integer","type":"type_error.integer"})"))
        << text;
  }
}

TEST(UnknownOperation, IsAstacusDetail) {
  const auto [status, body] = refusal([] { refuse(404, unknown_operation(-3)); });
  EXPECT_EQ(status, 404);
  EXPECT_EQ(
      body,
      json::parse(R"({"detail":{"code":"operation_id_mismatch","op":-3,"message":"Unknown operation id"}})").value());
}

TEST(Answering, TurnsARefusalIntoItsResponseAndLetsOtherErrorsThrough) {
  EXPECT_EQ(answering([](const Request&) -> Response { refuse(409, "Not locked"); })(Request{}).status, 409);
  const auto failing = answering([](const Request&) -> Response { fail(ErrorKind::internal, "x"); });
  EXPECT_THROW(failing(Request{}), Error);
}

}  // namespace
}  // namespace cherax::http
