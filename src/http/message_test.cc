#include "http/message.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "http/response_head.h"

namespace cherax::http {
namespace {

std::filesystem::path temporary_directory() { return std::filesystem::temp_directory_path(); }

File file_of(std::string_view content) {
  auto file = File::temporary(temporary_directory());
  file.write(as_bytes(content));
  return file;
}

TEST(Body, IsTheSameFromMemoryAndFromAFile) {
  for (const Body& body : {Body{"0123456789"}, Body{file_of("0123456789")}}) {
    EXPECT_EQ(body.size(), 10u);
    EXPECT_FALSE(body.empty());
    EXPECT_EQ(body.text(10), "0123456789");
    EXPECT_THROW(body.text(9), Error);
  }
  EXPECT_EQ(Body{"ab"}.in_memory(), "ab");
  EXPECT_EQ(Body{file_of("ab")}.in_memory(), std::nullopt);
}

TEST(Body, IsEmptyByDefault) {
  EXPECT_TRUE(Body{}.empty());
  EXPECT_EQ(Body{}.text(0), "");
  EXPECT_EQ(Body{}.in_memory(), "");
  Bytes buffer(1);
  EXPECT_EQ(Body{}.open()->read(buffer), 0u);
}

TEST(Body, GivesSourcesThatAreIndependentAndOutliveIt) {
  for (Body body : {Body{"abcd"}, Body{file_of("abcd")}}) {
    const auto first = body.open();
    const auto second = body.open();
    body = {};
    Bytes buffer(3);
    EXPECT_EQ(first->read(buffer), 3u);
    EXPECT_EQ(as_text(buffer), "abc");
    EXPECT_EQ(second->read(buffer), 3u);
    EXPECT_EQ(as_text(buffer), "abc");
    EXPECT_EQ(first->read(buffer), 1u);
    EXPECT_EQ(first->read(buffer), 0u);
  }
}

TEST(BodySpool, KeepsUpToTheThresholdInMemory) {
  BodySpool spool{"/no/such/directory", 8};
  spool.write(as_bytes("12345"));
  EXPECT_TRUE(spool.stays_in_memory(3));
  EXPECT_FALSE(spool.stays_in_memory(4));
  spool.write(as_bytes("678"));
  EXPECT_EQ(spool.size(), 8u);
  EXPECT_EQ(spool.take().in_memory(), "12345678");
}

TEST(BodySpool, SpillsToAFileBeyondTheThreshold) {
  BodySpool spool{temporary_directory(), 8};
  for (const char* part : {"1234", "56789", "", "0"}) spool.write(as_bytes(part));
  EXPECT_EQ(spool.size(), 10u);
  const auto body = spool.take();
  EXPECT_EQ(body.in_memory(), std::nullopt);
  EXPECT_EQ(body.text(100), "1234567890");
}

TEST(BodySpool, NamesTheDirectoryThatItCannotUse) {
  BodySpool spool{"/no/such/directory", 0};
  try {
    spool.write(as_bytes("1"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("/no/such/directory"), std::string::npos) << error.message();
  }
}

TEST(Headers, CompareNamesWithoutRegardToCase) {
  Headers headers{{"Content-Type", "a"}, {"X-One", "b"}, {"x-one", "c"}};
  ASSERT_NE(headers.find("content-TYPE"), nullptr);
  EXPECT_EQ(*headers.find("content-TYPE"), "a");
  EXPECT_EQ(*headers.find("X-ONE"), "b");
  EXPECT_EQ(headers.count("X-ONE"), 2u);
  EXPECT_EQ(headers.find("content-typ"), nullptr);
}

TEST(Request, SplitsItsTarget) {
  const auto request = [](std::string_view target) {
    Request result;
    result.set_target(target);
    return result;
  };
  EXPECT_EQ(request("/a%20b?c=d%26").path, "/a b");
  EXPECT_EQ(request("/a%20b?c=d%26").query, (Parameters{{"c", "d&"}}));
  EXPECT_EQ(request("/a%3Fb").path, "/a?b");
  EXPECT_EQ(request("http://host:1/a?b=c").path, "/a");
  EXPECT_EQ(request("http://host:1/a?b=c").query, (Parameters{{"b", "c"}}));
  EXPECT_EQ(request("http://host").path, "/");
  EXPECT_EQ(request("/redirect?to=http://host/b").path, "/redirect");
  EXPECT_EQ(request("*").path, "*");
  EXPECT_EQ(request("").path, "");
}

TEST(ResponseHead, HasLengthDateServerAndType) {
  auto response = Response::json("{}", 422);
  response.headers.add("retry-after", "1");
  EXPECT_EQ(response_head(response, Persistence::unsaid, 784111777),
            "HTTP/1.1 422 Unprocessable Content\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: cherax\r\n"
            "content-length: 2\r\ncontent-type: application/json\r\nretry-after: 1\r\n\r\n");
}

TEST(ResponseHead, SaysWhetherTheConnectionStays) {
  Response response{.content_type = ""};
  const auto head = [&](Persistence persistence) { return response_head(response, persistence, 0); };
  EXPECT_EQ(head(Persistence::unsaid).find("connection"), std::string::npos);
  EXPECT_EQ(head(Persistence::unsaid).find("content-type"), std::string::npos);
  EXPECT_NE(head(Persistence::close).find("\r\nconnection: close\r\n"), std::string::npos);
  EXPECT_NE(head(Persistence::keep_alive).find("\r\nconnection: keep-alive\r\n"), std::string::npos);
}

}  // namespace
}  // namespace cherax::http
