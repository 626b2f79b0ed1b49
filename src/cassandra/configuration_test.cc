#include "cassandra/configuration.h"

#include <gtest/gtest.h>

#include <fstream>

namespace cherax::cassandra {
namespace {

using Paths = std::vector<std::filesystem::path>;
using Words = std::vector<std::string>;

/// The keys that this room reads, in the layout of the file that Cassandra ships.
constexpr std::string_view kYaml = R"(# Cassandra storage config YAML
cluster_name: 'Test: one'
num_tokens: 16
# initial_token:
allocate_tokens_for_local_replication_factor: 3
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
data_file_directories:
    - /var/lib/cassandra/data
commitlog_directory: /var/lib/cassandra/commitlog/
saved_caches_directory: "/var/lib/cassandra/saved_caches"
seed_provider:
  # Addresses of hosts that are deemed contact points.
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      # seeds is actually a comma-delimited list of addresses.
      - seeds: "10.0.0.1:7000, 10.0.0.2"
storage_port: 7010
ssl_storage_port: 7011
listen_address: 10.0.0.1
rpc_address: 0.0.0.0
native_transport_port: 9142
endpoint_snitch: GossipingPropertyFileSnitch
materialized_views_enabled: true
)";

TEST(Configuration, ReadsWhatIsNeeded) {
  const Configuration configuration = parse_configuration(kYaml).value();
  EXPECT_EQ(configuration.cluster_name, "Test: one");
  EXPECT_EQ(configuration.num_tokens, 16);
  EXPECT_TRUE(configuration.initial_tokens.empty());
  EXPECT_EQ(configuration.data_file_directories, Paths{"/var/lib/cassandra/data"});
  EXPECT_EQ(configuration.seeds, (Words{"10.0.0.1:7000", "10.0.0.2"}));
  EXPECT_TRUE(configuration.has_simple_seed_provider());
  EXPECT_EQ(configuration.storage_port, 7010);
  EXPECT_EQ(configuration.ssl_storage_port, 7011);
  EXPECT_EQ(configuration.native_transport_port, 9142);
  EXPECT_EQ(configuration.listen_address, "10.0.0.1");
  EXPECT_TRUE(configuration.materialized_views_enabled);
  EXPECT_FALSE(configuration.user_defined_functions_enabled);
  EXPECT_TRUE(configuration.auto_bootstrap);
}

TEST(Configuration, DefaultsAreCassandras) {
  const Configuration configuration =
      parse_configuration("partitioner: x\nlisten_address:\nhints_directory: ~\n").value();
  EXPECT_EQ(configuration.cluster_name, "Test Cluster");
  EXPECT_EQ(configuration.storage_port, 7000);
  EXPECT_EQ(configuration.ssl_storage_port, 7001);
  EXPECT_EQ(configuration.native_transport_port, 9042);
  EXPECT_EQ(configuration.listen_address, std::nullopt);
  EXPECT_EQ(configuration.hints_directory, std::nullopt);
  EXPECT_EQ(configuration.num_tokens, 1);
  EXPECT_EQ(configuration.hints_flush_period, std::chrono::seconds{10});
}

TEST(Configuration, DurationsHaveAUnitSince41) {
  const std::map<std::string, std::chrono::milliseconds> cases{
      {"hints_flush_period: 10000ms", std::chrono::seconds{10}},
      {"hints_flush_period: 3s", std::chrono::seconds{3}},
      {"hints_flush_period: 2m", std::chrono::minutes{2}},
      {"hints_flush_period: 1d", std::chrono::days{1}},
      {"hints_flush_period: 0s", std::chrono::seconds{0}},
      {"hints_flush_period_in_ms: 500", std::chrono::milliseconds{500}}};
  for (const auto& [yaml, period] : cases)
    EXPECT_EQ(parse_configuration(yaml).value().hints_flush_period, period) << yaml;
  for (const char* bad : {"10 s", "s", "-1s", "1w", "99999999999s"}) {
    EXPECT_EQ(parse_configuration(fmt::format("hints_flush_period: {}", bad)).error().message(),
              "line 1: hints_flush_period: expected a duration such as 10s or 500ms")
        << bad;
  }
}

TEST(Configuration, OldAndNewNamesAndForms) {
  const Configuration old =
      parse_configuration("enable_materialized_views: true\nenable_user_defined_functions: true\n").value();
  EXPECT_TRUE(old.materialized_views_enabled);
  EXPECT_TRUE(old.user_defined_functions_enabled);
  const Configuration flat =
      parse_configuration("seed_provider:\n  class_name: SimpleSeedProvider\n  parameters: {seeds: a}\n").value();
  EXPECT_EQ(flat.seeds, Words{"a"});
  EXPECT_TRUE(flat.has_simple_seed_provider());
  const Configuration other =
      parse_configuration("seed_provider: [{class_name: com.example.Cloud, parameters: []}]\n").value();
  EXPECT_FALSE(other.has_simple_seed_provider());
  EXPECT_TRUE(other.seeds.empty());
  EXPECT_EQ(parse_configuration("initial_token: -1,5, 7\n").value().initial_tokens, (Words{"-1", "5", "7"}));
  EXPECT_EQ(parse_configuration("initial_token: -9223372036854775808\n").value().initial_tokens,
            Words{"-9223372036854775808"});
}

TEST(Configuration, TheLastOfEqualKeysCounts) {
  EXPECT_EQ(parse_configuration("storage_port: 1\nstorage_port: 2\n").value().storage_port, 2);
}

TEST(Configuration, WrongValuesNameLineAndKey) {
  for (std::string_view yaml : {"a: 1\nstorage_port: x\n", "a: 1\nstorage_port: 70000\n", "a: 1\nstorage_port: -1\n",
                                "a: 1\nstorage_port: [1]\n"}) {
    const auto configuration = parse_configuration(yaml);
    ASSERT_FALSE(configuration) << yaml;
    EXPECT_EQ(configuration.error().kind(), ErrorKind::invalid);
    EXPECT_EQ(configuration.error().message(), "line 2: storage_port: expected a port");
  }
  EXPECT_FALSE(parse_configuration("data_file_directories: /a\n"));
  EXPECT_FALSE(parse_configuration("cluster_name: {a: b}\n"));
  EXPECT_FALSE(parse_configuration("seed_provider: x\n"));
  EXPECT_FALSE(parse_configuration("a: [\n"));
  EXPECT_FALSE(parse_configuration("- a\n"));
  EXPECT_FALSE(parse_configuration("? [a]\n: b\n"));
}

TEST(Configuration, DirectoriesAsCassandraResolvesThem) {
  Configuration configuration = parse_configuration(kYaml).value();
  const Directories directories = resolve_directories(configuration, "/srv/cassandra");
  EXPECT_EQ(directories.data, Paths{"/var/lib/cassandra/data"});
  EXPECT_EQ(directories.commitlog, "/var/lib/cassandra/commitlog");
  EXPECT_EQ(directories.hints, "/srv/cassandra/hints");
  EXPECT_EQ(directories.cdc_raw, "/srv/cassandra/cdc_raw");
  EXPECT_EQ(directories.local_system_data, std::nullopt);
  EXPECT_EQ(directories.all().size(), 5u);

  configuration.data_file_directories.clear();
  configuration.local_system_data_file_directory = "/fast/system";
  EXPECT_EQ(resolve_directories(configuration, "/srv/cassandra").data, Paths{"/srv/cassandra/data"});
  EXPECT_EQ(resolve_directories(configuration, "/srv/cassandra").all().size(), 6u);
}

TEST(Configuration, DefaultDirectoryOfAnUnknownStorageDirectoryIsAnError) {
  const Configuration configuration = parse_configuration(kYaml).value();
  try {
    resolve_directories(configuration, std::nullopt);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_TRUE(error.message().starts_with("hints_directory is not set")) << error.message();
  }
  Configuration relative = configuration;
  relative.commitlog_directory = "commitlog";
  EXPECT_THROW(resolve_directories(relative, "/srv"), Error);
}

class ConfigurationFile : public ::testing::Test {
 protected:
  ConfigurationFile() {
    std::string pattern = ::testing::TempDir() + "configuration-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ConfigurationFile() override { std::filesystem::remove_all(directory_); }
  std::string write(const std::string& name, std::string_view text) {
    std::ofstream{directory_ / name} << text;
    return directory_ / name;
  }
  std::filesystem::path directory_;
};

TEST_F(ConfigurationFile, ErrorsNameTheFile) {
  const auto path = write("cassandra.yaml", "storage_port: x\n");
  try {
    load_configuration(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), path + ": line 1: storage_port: expected a port");
  }
}

TEST_F(ConfigurationFile, LocationOfANodeThatNeverRan) {
  Configuration configuration = parse_configuration(kYaml).value();
  const auto yaml = write("cassandra.yaml", kYaml);
  write("cassandra-rackdc.properties", "# These properties\ndc = dc1\nrack=rack 1 \r\n# prefer_local=true\n");
  EXPECT_EQ(configured_location(configuration, yaml), (Location{"dc1", "rack 1"}));
  configuration.endpoint_snitch = "org.apache.cassandra.locator.SimpleSnitch";
  EXPECT_EQ(configured_location(configuration, yaml), (Location{"datacenter1", "rack1"}));
  configuration.endpoint_snitch = "Ec2Snitch";
  EXPECT_EQ(configured_location(configuration, yaml), std::nullopt);
  EXPECT_FALSE(parse_rackdc("dc=dc1\n#rack=r\n"));
}

}  // namespace
}  // namespace cherax::cassandra
