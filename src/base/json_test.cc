#include "base/json.h"

#include <gtest/gtest.h>

#include <boost/describe.hpp>

namespace cherax::json {
namespace {

enum class Colour { red, green_ };
BOOST_DESCRIBE_ENUM(Colour, red, green_)

struct Point {
  static constexpr std::array kRequired{"x"};
  int x = 0;
  std::optional<int> y;
  bool operator==(const Point&) const = default;
};
BOOST_DESCRIBE_STRUCT(Point, (), (x, y))

struct Shape : Point {
  std::string private_ = "none";
  std::vector<Point> corners;
  std::map<std::string, Colour> colours;
  std::uint16_t port = 1;
  bool operator==(const Shape&) const = default;
};
BOOST_DESCRIBE_STRUCT(Shape, (Point), (private_, corners, colours, port))

struct Sparse {
  static constexpr std::array kOmittedWhenDefault{"count", "limit"};
  std::string name;
  int count = 3;
  std::optional<int> limit = 200;
};
BOOST_DESCRIBE_STRUCT(Sparse, (), (name, count, limit))

value parsed(std::string_view text) { return parse(text).value(); }

std::string problems_of(std::string_view text, ReadOptions options = {}) {
  const auto shape = read<Shape>(parsed(text), options);
  return shape ? "none" : shape.error().message();
}

TEST(Json, ReadsWhatItWrites) {
  Shape shape;
  shape.x = 5;
  shape.corners = {{1, 2}, {3, std::nullopt}};
  shape.colours = {{"left", Colour::green_}, {"right", Colour::red}};
  EXPECT_EQ(to_text(shape), R"({"x":5,"y":null,"private":"none","corners":[{"x":1,"y":2},{"x":3,"y":null}],)"
                            R"("colours":{"left":"green","right":"red"},"port":1})");
  EXPECT_EQ(read<Shape>(parsed(to_text(shape))).value(), shape);
}

TEST(Json, AbsentAndNullMembersKeepTheirDefaults) {
  const auto shape = read<Shape>(parsed(R"({"x":1,"private":null})")).value();
  EXPECT_EQ(shape.private_, "none");
  EXPECT_EQ(shape.port, 1);
}

TEST(Json, NamesEveryProblemWithItsPath) {
  EXPECT_EQ(problems_of(R"({"y":"a","corners":[{"x":1},{"y":2}],"port":70000,"colours":{"a":"blue"}})"),
            "x: required, but missing; y: expected a whole number, found text; corners[1].x: required, but missing; "
            "colours.a: expected one of red, green, found text; port: expected a whole number from 0 to 65535");
}

TEST(Json, RefusesUnknownKeysOnlyWhenAsked) {
  EXPECT_EQ(problems_of(R"({"x":1,"z":2})"), "none");
  EXPECT_EQ(problems_of(R"({"x":1,"corners":[{"x":1,"zz":2}]})", {.refuse_unknown = true}),
            "corners[0].zz: unknown key; expected one of x, y");
}

TEST(Json, CoercesOnlyWhenAsked) {
  EXPECT_EQ(problems_of(R"({"x":"7","private":5})"),
            "x: expected a whole number, found text; private: expected text, found a number");
  const auto shape = read<Shape>(parsed(R"({"x":"7","private":5})"), {.coerce = true}).value();
  EXPECT_EQ(shape.x, 7);
  EXPECT_EQ(shape.private_, "5");
}

TEST(Json, NeverRepeatsAValueThatMayBeSecret) {
  EXPECT_EQ(problems_of(R"({"x":"hunter2"})").find("hunter2"), std::string::npos);
}

TEST(Json, OmitsDefaultsWhereTheStructSaysSo) {
  EXPECT_EQ(to_text(Sparse{}), R"({"name":""})");
  EXPECT_EQ(to_text(Sparse{"a", 3}), R"({"name":"a"})");
}

TEST(Json, NullEmptiesAnOptionalThatHasADefault) {
  EXPECT_EQ(read<Sparse>(parsed(R"({"limit":null})")).value().limit, std::nullopt);
  EXPECT_EQ(read<Sparse>(parsed("{}")).value().limit, 200);
}

TEST(Json, SaysWhereTheTextIsBroken) {
  EXPECT_EQ(std::get<SyntaxError>(parse_or_offset(R"({"a":})")).offset, 5U);
  EXPECT_FALSE(parse("[1] 2"));
  EXPECT_FALSE(parse(std::string(65, '[') + std::string(65, ']')));
}

TEST(Json, HoldsIntegersToTheirRange) {
  EXPECT_EQ(read<std::uint64_t>(parsed("18446744073709551615")).value(), 18446744073709551615U);
  EXPECT_FALSE(read<std::int64_t>(parsed("9223372036854775808")));
  EXPECT_FALSE(read<std::uint64_t>(parsed("-1")));
  EXPECT_FALSE(read<int>(parsed("1.5")));
}

}  // namespace
}  // namespace cherax::json
