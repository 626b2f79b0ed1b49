#include "app/node_url.h"

#include <gtest/gtest.h>

namespace cherax::app {
namespace {

TEST(NodeUrl, IsTakenApart) {
  EXPECT_EQ(NodeUrl::parse("http://10.0.0.1:5515/node"), (NodeUrl{"http", "10.0.0.1", 5515, "/node"}));
  EXPECT_EQ(NodeUrl::parse("https://u:p@proxy/a/node"), (NodeUrl{"https", "proxy", 443, "/a/node"}));
  EXPECT_EQ(NodeUrl::parse("http://[::1]:5515/node"), (NodeUrl{"http", "::1", 5515, "/node"}));
}

TEST(NodeUrl, IsTheSameHoweverItIsWritten) {
  const auto same = [](const char* one, const char* other) {
    const auto parsed = NodeUrl::parse(one);
    EXPECT_TRUE(parsed) << one;
    EXPECT_EQ(parsed, NodeUrl::parse(other)) << one << " and " << other;
  };
  same("http://a/node", "http://a:80/node");
  same("https://a/node", "https://a:443/node");
  same("http://a.example:5515/node", "http://A.Example:5515/node");
  same("http://a:5515/node", "http://user:password@a:5515/node");
  same("http://a:5515/node", "http://a:05515/node");
  same("http://[2001:DB8::1]/node", "http://[2001:db8:0:0::1]:80/node");
}

TEST(NodeUrl, IsAnotherWhenAnyPartIs) {
  const auto node = NodeUrl::parse("http://a:5515/node");
  for (const char* other : {"https://a:5515/node", "http://b:5515/node", "http://a/node", "http://a:5516/node",
                            "http://a:5515/1/node", "http://a:5515/Node/node"}) {
    EXPECT_TRUE(NodeUrl::parse(other)) << other;
    EXPECT_NE(node, NodeUrl::parse(other)) << other;
  }
  EXPECT_NE(NodeUrl::parse("http://a:443/node"), NodeUrl::parse("https://a/node"));
}

TEST(NodeUrl, IsNoneWithoutAHostOrNodeAtItsEnd) {
  for (const char* url : {"",
                          "node",
                          "10.0.0.1:5515/node",
                          "http://a",
                          "http://a/",
                          "http://a/nodes",
                          "http://a/node/",
                          "http://node",
                          "http:///node",
                          "http://:80/node",
                          "http://u@/node",
                          "ftp://a/node",
                          "HTTP://a/node",
                          "http://a/NODE",
                          "http://a:99999/node",
                          "http://a:port/node",
                          "http://a:/node",
                          "http://a:-1/node",
                          "http://a/node?a=/node",
                          "http://a/node#/node",
                          "http://[bad/node",
                          "http://[1:2]/node",
                          "http://[]/node",
                          "http://a@b@c/node"}) {
    EXPECT_EQ(NodeUrl::parse(url), std::nullopt) << url;
  }
}

}  // namespace
}  // namespace cherax::app
