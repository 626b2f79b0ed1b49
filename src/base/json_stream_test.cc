#include "base/json_stream.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace cherax::json {
namespace {

/// Hands out the text in pieces of `step` bytes, so that tokens are cut everywhere.
class PieceSource final : public Source {
 public:
  PieceSource(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
  std::size_t read(MutableByteView buffer) override {
    const auto piece = as_bytes(text_).subspan(offset_, std::min({step_, text_.size() - offset_, buffer.size()}));
    std::ranges::copy(piece, buffer.begin());
    offset_ += piece.size();
    return piece.size();
  }

 private:
  std::string text_;
  std::size_t step_;
  std::size_t offset_ = 0;
};

constexpr std::string_view kDocument =
    R"({"a":[1,2],"results":[{"name":"n0","state":{"files":[{"p":"x","n":[1]},{"p":"y"}]}},)"
    R"({"name":"n1","state":{"files":[]}},{"state":{"files":[7,"s",null,true]}}],"end":{"files":[1.5]}})";

TEST(JsonStream, PassesElementsAndKeepsTheRestWhereverTheTextIsCut) {
  for (std::size_t step = 1; step <= kDocument.size(); ++step) {
    PieceSource source{std::string{kDocument}, step};
    std::string seen;
    const value rest = parse_stream(source, {{"results.*.state.files", [&](const Indices& at, const value& element) {
                                                seen += fmt::format("{}/{}={} ", at[0], at[1], to_text(element));
                                              }}});
    EXPECT_EQ(seen, R"(0/0={"p":"x","n":[1]} 0/1={"p":"y"} 2/0=7 2/1="s" 2/2=null 2/3=true )");
    EXPECT_EQ(to_text(rest),
              R"({"a":[1,2],"results":[{"name":"n0","state":{"files":[]}},{"name":"n1","state":{"files":[]}},)"
              R"({"state":{"files":[]}}],"end":{"files":[1.5E0]}})");
  }
}

TEST(JsonStream, StreamsAnArrayThatIsTheWholeDocument) {
  PieceSource source{"[1,[2],{}]", 3};
  int count = 0;
  parse_stream(source, {{"a", [&](const Indices&, const value&) { ++count; }}});
  EXPECT_EQ(count, 0);
}

TEST(JsonStream, RefusesBrokenAndTruncatedText) {
  for (std::string_view text : {"", "{", R"({"a":1)", R"({"a" 1})", "{}x", "[1,]", "nul"}) {
    PieceSource source{std::string{text}, 2};
    EXPECT_THROW(parse_stream(source, {}), Error) << text;
  }
  PieceSource trailing_space{"{} \n ", 1};
  EXPECT_NO_THROW(parse_stream(trailing_space, {}));
}

TEST(JsonStream, BoundsElementsAndTheRest) {
  const OnElement ignore = [](const Indices&, const value&) {};
  PieceSource big_element{R"({"f":[")" + std::string(2000, 'x') + R"("]})", 100};
  EXPECT_THROW(parse_stream(big_element, {{"f", ignore}}, {.element = 1000, .rest = 100000}), Error);
  PieceSource big_rest{R"({"g":[")" + std::string(2000, 'x') + R"("]})", 100};
  EXPECT_THROW(parse_stream(big_rest, {{"f", ignore}}, {.element = 100000, .rest = 1000}), Error);
  std::string many = R"({"f":[)";
  for (int i = 0; i < 10000; ++i) many += "1,";
  PieceSource many_small{many + "1]}", 1000};
  EXPECT_NO_THROW(parse_stream(many_small, {{"f", ignore}}, {.element = 100, .rest = 100}));
}

TEST(JsonStream, LetsTheFunctionsExceptionThrough) {
  PieceSource source{R"({"f":[1]})", 100};
  EXPECT_THROW(parse_stream(source, {{"f", [](const Indices&, const value&) { throw std::out_of_range{"mine"}; }}}),
               std::out_of_range);
}

TEST(StreamWriter, WritesWhatTheParserReads) {
  MemorySink sink{1000};
  StreamWriter writer{sink};
  MemorySource raw{as_bytes(R"({"r":[]})")};
  writer.begin_object();
  writer.member("na\"me", std::string{"v\n"});
  writer.key("list");
  writer.begin_array();
  writer.write(1);
  writer.raw(raw);
  writer.begin_object();
  writer.end_object();
  writer.end_array();
  writer.member("last", true);
  writer.end_object();
  writer.flush();
  EXPECT_EQ(as_text(sink.bytes()), R"({"na\"me":"v\n","list":[1,{"r":[]},{}],"last":true})");
}

}  // namespace
}  // namespace cherax::json
