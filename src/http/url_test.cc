#include "http/url.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace cherax::http {
namespace {

TEST(Url, EncodesAllButUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ0-._~ /?&=+%\n\xc3\xa4"), "aZ0-._~%20%2F%3F%26%3D%2B%25%0A%C3%A4");
  EXPECT_EQ(percent_encode_path("/a b/c:d?e#f\r\n"), "/a%20b/c:d%3Fe%23f%0D%0A");
}

TEST(Url, DecodesAndLeavesBrokenEscapesAlone) {
  EXPECT_EQ(percent_decode("%41%2fb%2F"), "A/b/");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%4g%%41"), "%zz%4g%A");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(Url, DecodingUndoesEncoding) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    RC_ASSERT(percent_decode(percent_encode(text)) == text);
    RC_ASSERT(percent_decode(percent_encode_path(text)) == text);
  }));
}

TEST(Url, ParsesQueries) {
  EXPECT_EQ(parse_query("locker=a%20b+c&ttl=60"), (Parameters{{"locker", "a b c"}, {"ttl", "60"}}));
  EXPECT_EQ(parse_query("a&b=&=c&&d=e=f"), (Parameters{{"a", ""}, {"b", ""}, {"", "c"}, {"d", "e=f"}}));
  EXPECT_EQ(parse_query(""), Parameters{});
  EXPECT_EQ(parse_query("a%3Db=%26"), (Parameters{{"a=b", "&"}}));
}

TEST(Url, ParsingUndoesBuildingAQuery) {
  EXPECT_TRUE(rc::check([](const std::vector<std::pair<std::string, std::string>>& pairs) {
    Parameters parameters;
    for (const auto& [name, value] : pairs) parameters.push_back({name, value});
    RC_ASSERT(parse_query(to_query(parameters)) == parameters);
  }));
}

TEST(Url, FindsTheLastParameterOfAName) {
  const auto query = parse_query("a=1&b=2&a=3");
  ASSERT_NE(find(query, "a"), nullptr);
  EXPECT_EQ(*find(query, "a"), "3");
  EXPECT_EQ(find(query, "A"), nullptr);
}

TEST(Url, JoinsWithOneSlash) {
  EXPECT_EQ(join("http://a:1/node", "lock"), "http://a:1/node/lock");
  EXPECT_EQ(join("http://a:1/node/", "/lock"), "http://a:1/node/lock");
  EXPECT_EQ(join("http://a", ""), "http://a/");
}

TEST(Url, LeavesOutWhatMayBeSecret) {
  EXPECT_EQ(without_secrets("http://user:pass@host:1/a/b?key=secret#part"), "http://host:1/a/b");
  EXPECT_EQ(without_secrets("http://user:p@ss@host"), "http://host");
  EXPECT_EQ(without_secrets("http://host/a@b"), "http://host/a@b");
  EXPECT_EQ(without_secrets("user:secret@host"), "host");
  EXPECT_EQ(without_secrets(""), "");
}

}  // namespace
}  // namespace cherax::http
