#include "cassandra/addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace cherax::cassandra {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

ListenAddresses addresses(std::string_view yaml) { return listen_addresses(parse_configuration(yaml).value()); }
std::vector<std::string> own(std::string_view yaml) { return own_addresses(parse_configuration(yaml).value()); }
std::vector<std::string> of_seed(std::string_view yaml, const std::string& seed) {
  return seed_addresses(parse_configuration(yaml).value(), own(yaml), seed);
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}
std::string error_of(std::string_view yaml) {
  return error_of([&] { own(yaml); });
}

TEST(Addresses, AreThoseThatAreConfigured) {
  constexpr const char* kAll =
      "listen_address: 127.0.0.2\nbroadcast_address: 192.0.2.1\nrpc_address: 127.0.0.3\n"
      "broadcast_rpc_address: 192.0.2.2\n";
  EXPECT_EQ(addresses(kAll).listen, "127.0.0.2");
  EXPECT_EQ(addresses(kAll).rpc, "127.0.0.3");
  EXPECT_THAT(own(kAll), ElementsAre("192.0.2.1", "127.0.0.2"))
      << "the ring knows it by its broadcast address, and never asks it where clients do";
}

TEST(Addresses, RpcIsAtTheListenAddressUnlessItIsSaid) {
  EXPECT_EQ(addresses("listen_address: 127.0.0.2").rpc, "127.0.0.2");
  EXPECT_EQ(addresses("listen_interface: lo").rpc, "127.0.0.1");
}

TEST(Addresses, WithoutAListenAddressItIsThatOfTheMachinesName) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size()), 0);
  for (const char* yaml : {"cluster_name: c", "listen_address:", "listen_address: ~"}) {
    EXPECT_EQ(addresses(yaml).listen, name.data());
    EXPECT_EQ(addresses(yaml).rpc, name.data());
    EXPECT_THAT(own(yaml), Contains(addresses_of(name.data()).front()));
  }
}

TEST(Addresses, AnEmptyTextIsLoopback) {
  EXPECT_EQ(addresses("listen_address: ''").listen, "127.0.0.1") << "java.net.InetAddress.getByName";
}

TEST(Addresses, OfAnInterface) {
  const auto found = addresses("listen_interface: lo\nrpc_interface: lo\nrpc_interface_prefer_ipv6: true\n");
  EXPECT_EQ(found.listen, "127.0.0.1");
  EXPECT_EQ(found.rpc, "::1");
  EXPECT_EQ(addresses("listen_interface: lo\nlisten_interface_prefer_ipv6: true\n").listen, "::1");
}

TEST(Addresses, AWildcardIsReachedOverLoopback) {
  for (const auto& [wildcard, loopback] :
       {std::pair{"0.0.0.0", "127.0.0.1"}, {"'::'", "::1"}, {"'0:0:0:0:0:0:0:0'", "::1"}}) {
    const auto found = addresses(fmt::format("listen_address: 192.0.2.1\nrpc_address: {}", wildcard));
    EXPECT_EQ(found.rpc, loopback);
  }
}

TEST(Addresses, WhatCassandraRefusesIsAnErrorOfItsKey) {
  EXPECT_THAT(error_of("listen_address: 127.0.0.1\nlisten_interface: lo"),
              HasSubstr("listen_address and listen_interface are both set"));
  EXPECT_THAT(error_of("listen_address: 127.0.0.1\nrpc_address: 127.0.0.1\nrpc_interface: lo"),
              HasSubstr("rpc_address and rpc_interface are both set"));
  for (const char* key : {"listen_address", "broadcast_address"}) {
    EXPECT_THAT(error_of(fmt::format("listen_address: 127.0.0.1\n{}: 0.0.0.0", key)),
                HasSubstr(fmt::format("{} cannot be a wildcard address", key)));
  }
}

TEST(Addresses, WhatIsNotKnownIsAnErrorThatSaysWhatToSet) {
  for (const char* key : {"listen_address", "broadcast_address", "rpc_address"}) {
    EXPECT_THAT(error_of(fmt::format("listen_address: 127.0.0.1\n{}: db1.invalid", key)),
                AllOf(HasSubstr(fmt::format("{}: resolving db1.invalid failed", key)),
                      HasSubstr(fmt::format("set {} to an IP address", key))));
  }
  EXPECT_THAT(error_of("listen_interface: none9"),
              AllOf(HasSubstr("listen_interface none9: there is no such"), HasSubstr("set listen_address instead")));
  EXPECT_THAT(error_of("listen_address: 127.0.0.1\nrpc_interface: none9"),
              AllOf(HasSubstr("rpc_interface none9"), HasSubstr("set rpc_address instead")));
}

TEST(Addresses, OfAnInterfaceThePreferredFamilyIsChosen) {
  EXPECT_EQ(choose_address({"192.0.2.1", "2001:db8::1"}, false), "192.0.2.1");
  EXPECT_EQ(choose_address({"192.0.2.1", "2001:db8::1"}, true), "2001:db8::1");
  EXPECT_EQ(choose_address({"2001:db8::1"}, false), "2001:db8::1");
  EXPECT_EQ(choose_address({"192.0.2.1"}, true), "192.0.2.1");
  EXPECT_EQ(choose_address({"fe80::1%eth0", "2001:db8::1"}, true), "2001:db8::1") << "no other node could reach it";
  EXPECT_EQ(choose_address({"fe80::1%eth0"}, true), "fe80::1%eth0");
}

TEST(Addresses, WhichOfSeveralAddressesOfAnInterfaceIsNotKnown) {
  EXPECT_THAT(error_of([] {
                choose_address({"192.0.2.1", "192.0.2.7", "::1"}, false);
              }),
              AllOf(HasSubstr("192.0.2.1, 192.0.2.7"), Not(HasSubstr("::1"))));
}

TEST(Addresses, OfANameAreIPv4First) {
  EXPECT_EQ(addresses_of("localhost").front(), "127.0.0.1");
  EXPECT_THAT(addresses_of("::1"), ElementsAre("::1"));
}

TEST(Addresses, OfASeedAreThoseOfTheFamilyOfTheNode) {
  EXPECT_THAT(of_seed("listen_address: 127.0.0.1", "localhost:7000"), ElementsAre("127.0.0.1"));
  EXPECT_THAT(of_seed("listen_address: ::1", "[::1]:7000"), ElementsAre("::1"));
  EXPECT_THAT(of_seed("listen_address: 127.0.0.1", "::1"), ElementsAre("::1")) << "it has no other";
  EXPECT_EQ(of_seed("listen_address: 127.0.0.1\nresolve_multiple_ip_addresses_per_dns_record: true", "localhost"),
            addresses_of("localhost"));
  EXPECT_THAT(error_of([] { of_seed("listen_address: 127.0.0.1", "db1.invalid"); }),
              AllOf(HasSubstr("the seed db1.invalid may be of any ring"), HasSubstr("seed_provider")));
}

class ResolveClient : public testing::Test {
 protected:
  ResolveClient() {
    std::string pattern = testing::TempDir() + "addresses-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ResolveClient() override { std::filesystem::remove_all(directory_); }
  ClientOptions with(std::string_view yaml) const {
    const auto path = directory_ / "cassandra.yaml";
    std::ofstream{path} << yaml;
    return {.config_path = path};
  }
  std::filesystem::path directory_;
};

TEST_F(ResolveClient, TakesPortAndHostFromCassandrasConfiguration) {
  auto options = with("rpc_address: 0.0.0.0\nlisten_address: 10.0.0.1\nnative_transport_port: 9142\n");
  EXPECT_EQ(resolve_client(options).port, 9142);
  EXPECT_THAT(resolve_client(options).hostnames, ElementsAre("10.0.0.1")) << "rpc_address is a wildcard";
  options.hostnames = {"db1"};
  options.port = 1;
  EXPECT_THAT(resolve_client(options).hostnames, ElementsAre("db1"));
  EXPECT_EQ(resolve_client(options).port, 1);
}

TEST_F(ResolveClient, GoesWhereCassandraListensWhenItHasChosen) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size()), 0);
  EXPECT_THAT(resolve_client(with("listen_address:\n")).hostnames, ElementsAre(name.data()));
  EXPECT_THAT(resolve_client(with("rpc_address: 0.0.0.0\n")).hostnames, ElementsAre("127.0.0.1"));
  EXPECT_THAT(resolve_client(with("listen_interface: lo\n")).hostnames, ElementsAre("127.0.0.1"));
  EXPECT_THAT(resolve_client(with("listen_address: 127.0.0.2\nrpc_interface: lo\n")).hostnames,
              ElementsAre("127.0.0.1"));
  EXPECT_THAT(resolve_client(with("listen_address: 127.0.0.2\n")).hostnames, ElementsAre("127.0.0.2"));
  EXPECT_THAT(resolve_client(with("listen_address: 127.0.0.2\nrpc_address: ''\n")).hostnames, ElementsAre("127.0.0.1"));
}

TEST_F(ResolveClient, GoesToLoopbackWhereNothingIsKnown) {
  EXPECT_THAT(resolve_client({}).hostnames, ElementsAre("127.0.0.1"));
  EXPECT_EQ(resolve_client({}).port, 9042);
  EXPECT_THAT(resolve_client(with("rpc_interface: none0\n")).hostnames, ElementsAre("127.0.0.1"));
}

}  // namespace
}  // namespace cherax::cassandra
