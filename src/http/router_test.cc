#include "http/router.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/error.h"

namespace cherax::http {
namespace {

Router astacus_like() {
  Router router;
  const auto add = [&](std::string method, std::string pattern) {
    router.add({std::move(method), std::move(pattern), Lane::node, [](const Request&) { return Response{}; }});
  };
  add("GET", "/");
  add("GET", "/{op}/{id}");
  add("PUT", "/{op}/{id}/sub-result");
  add("POST", "/lock");
  add("GET", "/config/status");
  add("POST", "/node/lock");
  add("GET", "/node/{op}/{id}");
  add("GET", "/node/upload/{id}");
  add("GET", "/{any}/upload/{id}");
  return router;
}

std::variant<Router::Match, Response> find(const Router& router, std::string method, std::string_view target) {
  Request request;
  request.method = std::move(method);
  request.host = "node1:5515";
  request.set_target(target);
  return router.find(request);
}

std::string pattern(std::string method, std::string_view target) {
  const auto router = astacus_like();
  const auto found = find(router, std::move(method), target);
  const auto* match = std::get_if<Router::Match>(&found);
  return match ? match->route->pattern : "";
}

Response refusal(std::string method, std::string_view target) {
  return std::get<Response>(find(astacus_like(), std::move(method), target));
}

TEST(Router, MatchesLiteralsAndParameters) {
  EXPECT_EQ(pattern("GET", "/"), "/");
  EXPECT_EQ(pattern("POST", "/node/lock?locker=x"), "/node/lock");
  EXPECT_EQ(pattern("PUT", "/backup/3/sub-result"), "/{op}/{id}/sub-result");
  const auto router = astacus_like();
  const auto found = find(router, "GET", "/back%20up/1");
  EXPECT_EQ(std::get<Router::Match>(found).parameters, (Parameters{{"op", "back up"}, {"id", "1"}}));
}

TEST(Router, PrefersLiteralSegmentsTheLeftmostFirst) {
  EXPECT_EQ(pattern("GET", "/config/status"), "/config/status");
  EXPECT_EQ(pattern("GET", "/config/other"), "/{op}/{id}");
  EXPECT_EQ(pattern("GET", "/node/upload/1"), "/node/upload/{id}");
  EXPECT_EQ(pattern("GET", "/node/clear/1"), "/node/{op}/{id}");
  EXPECT_EQ(pattern("GET", "/x/upload/1"), "/{any}/upload/{id}");
}

TEST(Router, PrefersARouteOfTheMethod) { EXPECT_EQ(pattern("GET", "/node/lock"), "/{op}/{id}"); }

TEST(Router, DecodesBeforeItMatches) {
  EXPECT_EQ(pattern("POST", "/%6Eode/lock"), "/node/lock");
  EXPECT_EQ(pattern("POST", "/node%2Flock"), "/node/lock");
}

TEST(Router, AnswersUnknownPaths) {
  for (const char* target : {"/nothing", "/node//lock", "//node/lock", "/Node/Lock/1/2", "/LOCK", "*", "", "//",
                             "//config", "/a/", "/a//sub-result", "lock"}) {
    const auto response = refusal("POST", target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(response.body.text(100), R"({"detail":"Not Found"})");
    EXPECT_EQ(response.content_type, "application/json");
  }
}

TEST(Router, AnswersOtherMethods) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "DELETE", "BREW"}) {
    const auto response = refusal(method, "/lock");
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.body.text(100), R"({"detail":"Method Not Allowed"})");
    EXPECT_EQ(*response.headers.find("Allow"), "POST");
  }
  EXPECT_EQ(*refusal("DELETE", "/node/lock").headers.find("Allow"), "GET, POST");
  EXPECT_EQ(refusal("HEAD", "/").status, 405);
}

TEST(Router, RedirectsATrailingSlash) {
  for (const char* method : {"GET", "POST", "HEAD"}) {
    const auto response = refusal(method, "/node/lock/?locker=a%20b&ttl=1");
    EXPECT_EQ(response.status, 307);
    EXPECT_EQ(*response.headers.find("Location"), "http://node1:5515/node/lock?locker=a%20b&ttl=1");
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(response.content_type, "");
  }
  EXPECT_EQ(*refusal("GET", "/a%20b/c%0D%0A/").headers.find("Location"), "http://node1:5515/a%20b/c%0D%0A");
}

TEST(Router, RefusesTwoRoutesOfOneShape) {
  auto router = astacus_like();
  const auto add = [&](std::string method, std::string pattern) { router.add({method, pattern, Lane::node, {}}); };
  EXPECT_THROW(add("GET", "/{other}/{names}"), Error);
  EXPECT_THROW(add("POST", "/lock"), Error);
  EXPECT_NO_THROW(add("POST", "/{op}/{id}"));
}

TEST(Router, AnswersEveryTargetWithCleanHeaders) {
  const auto router = astacus_like();
  const auto text = rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::element('/', '%', '?', '0', 'A', 'D', '{', '}', '#'), rc::gen::character<char>()));
  EXPECT_TRUE(rc::check([&] {
    const auto found = find(router, "GET", "/" + *text);
    if (const auto* response = std::get_if<Response>(&found)) {
      RC_ASSERT(response->status == 404 || response->status == 405 || response->status == 307);
      const auto* location = response->headers.find("location");
      const auto path = location ? location->substr(0, location->find('?')) : "";
      RC_ASSERT(path.find_first_of("\r\n ") == std::string::npos);
    }
  }));
}

}  // namespace
}  // namespace cherax::http
