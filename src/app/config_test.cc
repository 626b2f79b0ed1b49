#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "http/json_body.h"
#include "storage/temporary_directory.h"
#include "transform/testing.h"

namespace cherax::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kSecret = "hunter2";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

/// In texts of configurations, DIR stands for a directory of the test's own, which has a directory `root`.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() { std::filesystem::create_directory(directory_.path() / "root"); }

  std::string filled(std::string text) const { return replaced(std::move(text), "DIR", directory_.path()); }
  std::filesystem::path write(const std::string& text, const std::string& name = "c.yaml") const {
    auto path = directory_.path() / name;
    write_durably(path, filled(text));
    return path;
  }
  Config load(const std::string& text, const std::string& name = "c.yaml") const {
    return load_config(write(text, name));
  }
  /// What a section of Cassandra's names: its configuration and a program.
  void write_cassandra() const {
    write_durably(directory_.path() / "cassandra.yaml", "cluster_name: c\n");
    write_durably(directory_.path() / "tool", "#!/bin/sh\n");
    std::filesystem::permissions(directory_.path() / "tool", std::filesystem::perms{0755});
  }
  /// What is wrong with it, with DIR for the directory; every configuration of these tests is a secret's keeper, too.
  std::string problems_of(const std::string& text, const std::string& name = "c.yaml") const {
    try {
      load(text, name);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      EXPECT_THAT(error.message(), Not(HasSubstr(kSecret)));
      return replaced(error.message(), directory_.path(), "DIR");
    }
    return "no error";
  }

  storage::TemporaryDirectory directory_;
};

constexpr const char* kCoordinator = R"(coordinator:
  nodes:
  - url: http://127.0.0.1:5515/node
  plugin: files
  plugin_config: {root_globs: ["**"]}
)";
constexpr const char* kNode = R"(node:
  root: DIR/root
  db_path: DIR/db
)";
constexpr const char* kObjectStorage = R"(object_storage:
  temporary_directory: DIR/tmp
  default_storage: x
  compression: {algorithm: zstd}
  storages:
    x: {storage_type: local, directory: DIR/store}
)";

/// The sections of a working configuration, one of them replaced.
struct Sections {
  std::string coordinator = kCoordinator;
  std::string node = kNode;
  std::string object_storage = kObjectStorage;
  std::string more{};

  std::string text() const { return coordinator + node + object_storage + more; }
};

TEST_F(ConfigTest, TheDefaultsAreThoseOfAstacus) {
  const Config config = load(Sections{}.text());
  EXPECT_EQ(config.listen.host, "127.0.0.1");
  EXPECT_EQ(config.listen.port, 5515);
  EXPECT_EQ(config.log_level, log::Level::info);

  ASSERT_TRUE(config.coordinator);
  const auto& coordinator = *config.coordinator;
  EXPECT_EQ(coordinator.poll.delay_start, std::chrono::seconds{1});
  EXPECT_EQ(coordinator.poll.delay_multiplier, 2);
  EXPECT_EQ(coordinator.poll.delay_max, std::chrono::seconds{60});
  EXPECT_EQ(coordinator.poll.duration, std::chrono::days{1});
  EXPECT_EQ(coordinator.poll.maximum_failures, 5);
  EXPECT_EQ(coordinator.poll.result_timeout, std::chrono::seconds{300});
  EXPECT_EQ(coordinator.default_lock_ttl, std::chrono::seconds{600});
  EXPECT_EQ(coordinator.backup_attempts, 5);
  EXPECT_EQ(coordinator.restore_attempts, 1);
  EXPECT_EQ(coordinator.fan_out, 64U);
  EXPECT_EQ(coordinator.gc_grace, std::chrono::days{1});
  EXPECT_EQ(coordinator.retention.minimum_backups, 3);
  EXPECT_EQ(coordinator.retention.maximum_backups, std::nullopt);
  EXPECT_EQ(coordinator.retention.keep_days, 7);

  ASSERT_TRUE(config.node);
  EXPECT_EQ(config.node->root_link, directory_.path() / "root/.astacus");
  EXPECT_EQ(config.node->az, "");
  EXPECT_EQ(config.node->parallel.downloads, 1U);
  EXPECT_EQ(config.node->parallel.hashes, 1U);
  EXPECT_EQ(config.node->parallel.uploads, 1U);
  EXPECT_FALSE(config.node->copy_root_owner);
}

TEST_F(ConfigTest, WhatIsGivenArrives) {
  const Config config = load(R"(
coordinator:
  nodes:
  - {url: http://10.0.0.1:5515/node, az: a}
  - {url: https://10.0.0.2:5515/node, az: 1}
  plugin: files
  plugin_config: {root_globs: ["**"]}
  retention: {minimum_backups: 1, maximum_backups: 9, keep_days: 2}
  poll: {delay_start: 3, delay_multiplier: 4, delay_max: 5, duration: 6, maximum_failures: 7, result_timeout: 8}
  default_lock_ttl: 9
  backup_attempts: 10
  restore_attempts: 11
  gc_grace: 0
  fan_out: 12
  list_ttl: 1
  object_storage_cache: DIR/cache
node:
  root: DIR/root
  az: z
  root_link: DIR/links
  delta_root_link: DIR/delta
  db_path: DIR/db
  parallel: {downloads: 2, hashes: 3, uploads: 4}
  copy_root_owner: true
uvicorn: {host: 0.0.0.0, port: "5516", log_level: warning, http: h11, reload: false}
)" + std::string{kObjectStorage});
  EXPECT_EQ(config.listen.host, "0.0.0.0");
  EXPECT_EQ(config.listen.port, 5516);
  EXPECT_EQ(config.log_level, log::Level::warning);
  const auto& coordinator = *config.coordinator;
  EXPECT_EQ(coordinator.nodes.at(1).url, "https://10.0.0.2:5515/node");
  EXPECT_EQ(coordinator.nodes.at(1).az, "1");
  EXPECT_EQ(coordinator.retention.maximum_backups, 9);
  EXPECT_EQ(coordinator.poll.delay_start, std::chrono::seconds{3});
  EXPECT_EQ(coordinator.poll.delay_multiplier, 4);
  EXPECT_EQ(coordinator.poll.delay_max, std::chrono::seconds{5});
  EXPECT_EQ(coordinator.poll.duration, std::chrono::seconds{6});
  EXPECT_EQ(coordinator.poll.maximum_failures, 7);
  EXPECT_EQ(coordinator.poll.result_timeout, std::chrono::seconds{8});
  EXPECT_EQ(coordinator.default_lock_ttl, std::chrono::seconds{9});
  EXPECT_EQ(coordinator.backup_attempts, 10);
  EXPECT_EQ(coordinator.restore_attempts, 11);
  EXPECT_EQ(coordinator.gc_grace, std::chrono::seconds{0});
  EXPECT_EQ(coordinator.fan_out, 12U);
  EXPECT_EQ(coordinator.db_path, directory_.path() / "db") << "where the lock file stands";
  EXPECT_EQ(coordinator.temporary_directory, directory_.path() / "tmp");
  EXPECT_EQ(config.node->az, "z");
  EXPECT_EQ(config.node->root_link, directory_.path() / "links");
  EXPECT_EQ(config.node->parallel.uploads, 4U);
  EXPECT_TRUE(config.node->copy_root_owner);
  EXPECT_EQ(config.plugin->name(), "files");
}

TEST_F(ConfigTest, JsonIsAsGoodAsYaml) {
  const Config config = load(R"({
    "coordinator": {"nodes": [{"url": "http://127.0.0.1:5515/node"}], "plugin": "files",
                    "plugin_config": {"root_globs": ["**"]}},
    "node": {"root": "DIR/root", "db_path": "DIR/db"},
    "object_storage": {"temporary_directory": "DIR/tmp", "default_storage": "x", "compression": {"algorithm": "zstd"},
                       "storages": {"x": {"storage_type": "local", "directory": "DIR/store"}}}
  })",
                             "c.json");
  EXPECT_EQ(config.coordinator->nodes.size(), 1U);
  EXPECT_EQ(config.node_storages->default_storage().name(), "x");
}

TEST_F(ConfigTest, ARetentionReplacesTheDefaultAsAWhole) {
  const auto retention_of = [&](const std::string& text) {
    return load(Sections{.coordinator = std::string{kCoordinator} + "  retention: " + text + "\n"}.text())
        .coordinator->retention;
  };
  const auto only_days = retention_of("{keep_days: 30}");
  EXPECT_EQ(only_days.keep_days, 30);
  EXPECT_EQ(only_days.minimum_backups, std::nullopt);
  const auto nothing = retention_of("{}");
  EXPECT_EQ(nothing.keep_days, std::nullopt);
  EXPECT_EQ(nothing.minimum_backups, std::nullopt);
}

/// An object_storage section below another one, whose directories are DIR/<store> and DIR/tmp-<store>.
std::string object_storage_below(const std::string& store) {
  return replaced(
      "  object_storage: {temporary_directory: DIR/tmp-STORE, default_storage: x, compression: {algorithm: zstd},\n"
      "    storages: {x: {storage_type: local, directory: DIR/STORE}}}\n",
      "STORE", store);
}
const std::string kOwnOfCoordinator = kCoordinator + object_storage_below("of-coordinator");
const std::string kOwnOfNode = kNode + object_storage_below("of-node");

/// Which store these storages have, by the name of its directory.
std::string store_of(const std::shared_ptr<repository::Storages>& storages) {
  const auto text = storages->default_storage().store().describe();
  return text.substr(text.rfind('/') + 1);
}

TEST_F(ConfigTest, EachSectionHasItsOwnObjectStorageOrElseThatOfTheFile) {
  const auto expect = [&](const Sections& sections, const char* coordinator, const char* node) {
    const Config config = load(sections.text());
    EXPECT_THAT(store_of(config.coordinator_storages), StartsWith(coordinator));
    EXPECT_THAT(store_of(config.node_storages), StartsWith(node));
    EXPECT_EQ(config.coordinator_storages == config.node_storages, std::string{coordinator} == node)
        << "one section makes one Storages";
    const auto temporary = [&](const std::string& store) {
      return directory_.path() / (store == "store" ? "tmp" : "tmp-" + store);
    };
    EXPECT_EQ(config.coordinator->temporary_directory, temporary(coordinator));
    EXPECT_EQ(config.node->temporary_directory, temporary(node));
    for (const auto& directory : {temporary(coordinator), temporary(node)}) {
      EXPECT_TRUE(std::filesystem::is_directory(directory)) << directory;
    }
  };
  expect({}, "store", "store");
  expect({.node = kOwnOfNode}, "store", "of-node");
  expect({.coordinator = kOwnOfCoordinator}, "of-coordinator", "store");
  expect({.coordinator = kOwnOfCoordinator, .node = kOwnOfNode}, "of-coordinator", "of-node");
  expect({.coordinator = kOwnOfCoordinator, .node = kOwnOfNode, .object_storage = ""}, "of-coordinator", "of-node");
}

TEST_F(ConfigTest, NeitherSectionBorrowsTheObjectStorageOfTheOther) {
  constexpr const char* kMissing =
      "DIR/c.yaml:1: object_storage: expected a section that says where backups are stored, here or inside each of "
      "node "
      "and coordinator";
  EXPECT_EQ(problems_of(Sections{.node = kOwnOfNode, .object_storage = ""}.text()), kMissing);
  EXPECT_EQ(problems_of(Sections{.coordinator = kOwnOfCoordinator, .object_storage = ""}.text()), kMissing);
  EXPECT_EQ(problems_of(Sections{.object_storage = ""}.text()), kMissing);
}

TEST_F(ConfigTest, ANodeAloneNeedsNoObjectStorageOfACoordinator) {
  const Config config = load(Sections{.coordinator = "", .node = kOwnOfNode, .object_storage = ""}.text());
  EXPECT_EQ(config.coordinator_storages, nullptr);
  EXPECT_THAT(store_of(config.node_storages), StartsWith("of-node"));
}

TEST_F(ConfigTest, TheProblemsOfBothObjectStoragesAreTold) {
  const auto wrong = [](const std::string& section) {
    return replaced(replaced(section, "default_storage: x", "default_storage: y"), "zstd", "gzip");
  };
  const auto problems = problems_of(
      Sections{.coordinator = wrong(kOwnOfCoordinator), .node = wrong(kOwnOfNode), .object_storage = ""}.text());
  for (const char* line : {"DIR/c.yaml:6: coordinator.object_storage.compression.algorithm: ",
                           "DIR/c.yaml:6: coordinator.object_storage.default_storage: ",
                           "DIR/c.yaml:11: node.object_storage.compression.algorithm: ",
                           "DIR/c.yaml:11: node.object_storage.default_storage: "}) {
    EXPECT_THAT(problems, HasSubstr(line));
  }
  EXPECT_EQ(std::ranges::count(problems_of(Sections{.object_storage = wrong(kObjectStorage)}.text()), '\n'), 1)
      << "those of one section once, though it counts twice";
}

TEST_F(ConfigTest, OnlyTheCoordinatorsStoragesHaveItsCache) {
  const auto named = [](const std::string& section) { return replaced(section, "x: {", "a/b: {"); };
  const auto with = [&](const std::string& coordinator, const std::string& node) {
    return problems_of(
        Sections{.coordinator = coordinator + "  object_storage_cache: DIR/cache\n", .node = node, .object_storage = ""}
            .text());
  };
  const auto of_node = replaced(named(kOwnOfNode), "default_storage: x", "default_storage: a/b");
  const auto of_coordinator = replaced(named(kOwnOfCoordinator), "default_storage: x", "default_storage: a/b");
  EXPECT_EQ(with(kOwnOfCoordinator, of_node), "no error");
  EXPECT_THAT(with(of_coordinator, kOwnOfNode),
              StartsWith("DIR/c.yaml:7: coordinator.object_storage.storages.a/b: expected a plain file name"));
}

TEST_F(ConfigTest, ListsEveryProblemOfShapeWithLineAndPath) {
  EXPECT_EQ(problems_of(R"(coordinator:
  nodes:
  - {uri: http://127.0.0.1:5515/node}
  plugin: files
  plugin_config: {root_globs: ["**"]}
  default_lock_ttl: soon
node:
  root: [DIR/root]
  parallel: {downloads: -1}
  passwort: hunter2
)" + std::string{kObjectStorage}),
            "DIR/c.yaml:3: coordinator.nodes[0].url: required, but missing\n"
            "DIR/c.yaml:3: coordinator.nodes[0].uri: unknown key; expected one of url, az\n"
            "DIR/c.yaml:6: coordinator.default_lock_ttl: expected a whole number, found text\n"
            "DIR/c.yaml:8: node.root: expected text, found a list\n"
            "DIR/c.yaml:7: node.db_path: required, but missing\n"
            "DIR/c.yaml:9: node.parallel.downloads: expected a whole number from 0 to 4294967295\n"
            "DIR/c.yaml:10: node.passwort: unknown key; expected one of root, az, root_link, delta_root_link, db_path, "
            "object_storage, statsd, parallel, copy_root_owner, cassandra");
}

TEST_F(ConfigTest, ListsEveryProblemOfMeaningOfAllSections) {
  const auto problems = problems_of(R"(coordinator:
  nodes:
  - url: 127.0.0.1:5515/node
  plugin: m3db
  fan_out: 0
node:
  root: DIR/missing
  db_path: relative
object_storage:
  temporary_directory: DIR/tmp
  default_storage: z
  compression: {algorithm: gzip}
  storages:
    x: {storage_type: floppy, password: hunter2}
uvicorn: {log_level: chatty}
)");
  for (const char* line : {
           "DIR/c.yaml:3: coordinator.nodes[0].url: expected http(s)://host:port/node",
           "DIR/c.yaml:4: coordinator.plugin: expected one of cassandra, files",
           "DIR/c.yaml:5: coordinator.fan_out: expected a whole number from 1 up",
           "DIR/c.yaml:7: node.root: expected the absolute path of an existing directory",
           "DIR/c.yaml:8: node.db_path: expected an absolute path",
           "DIR/c.yaml:11: object_storage.default_storage: expected the name of one of storages",
           "DIR/c.yaml:12: object_storage.compression.algorithm: expected one of zstd, snappy, lzma",
           "DIR/c.yaml:14: object_storage.storages.x.storage_type: expected one of local",
           "DIR/c.yaml:15: uvicorn.log_level: expected one of trace, debug, info, warning, error, critical",
       }) {
    EXPECT_THAT(problems, HasSubstr(line));
  }
}

TEST_F(ConfigTest, RefusesNumbersThatCannotWork) {
  for (const char* key : {"default_lock_ttl", "backup_attempts", "restore_attempts", "fan_out"}) {
    const auto coordinator = fmt::format("{}  {}: 0\n", kCoordinator, key);
    EXPECT_THAT(problems_of(Sections{.coordinator = coordinator}.text()),
                StartsWith(fmt::format("DIR/c.yaml:6: coordinator.{}: ", key)));
  }
  for (const char* key : {"delay_start", "delay_multiplier", "delay_max", "duration", "result_timeout"}) {
    const auto coordinator = fmt::format("{}  poll: {{{}: 0}}\n", kCoordinator, key);
    EXPECT_THAT(problems_of(Sections{.coordinator = coordinator}.text()),
                StartsWith(fmt::format("DIR/c.yaml:6: coordinator.poll.{}: ", key)));
  }
  for (const char* key : {"downloads", "hashes", "uploads"}) {
    const auto node = fmt::format("{}  parallel: {{{}: 0}}\n", kNode, key);
    EXPECT_THAT(problems_of(Sections{.node = node}.text()),
                StartsWith(fmt::format("DIR/c.yaml:9: node.parallel.{}: ", key)));
  }
}

TEST_F(ConfigTest, HardLinksOfTheRootMustBePossibleInRootLink) {
  const auto with = [](const std::string& root_link) {
    return Sections{.node = fmt::format("{}  root_link: {}\n", kNode, root_link)}.text();
  };
  EXPECT_THAT(problems_of(with("/dev/shm/cherax-config-test/links")),
              StartsWith("DIR/c.yaml:9: node.root_link: expected a directory on the same file system"));
  EXPECT_FALSE(std::filesystem::exists("/dev/shm/cherax-config-test"));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "tmp"));
  for (const char* fine : {"DIR/root", "DIR/links", "DIR/no/directory/yet"}) {
    EXPECT_EQ(problems_of(with(fine)), "no error") << fine;
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / "links")) << "the first backup makes it";
  }
}

TEST_F(ConfigTest, NoDirectoryIsMadeWhenAnotherOneCannotBe) {
  write_durably(directory_.path() / "file", "");
  const auto temporary_in = [](const std::string& path) { return replaced(kObjectStorage, "DIR/tmp", path); };
  const std::string bad_node = replaced(kNode, "DIR/db", "DIR/file/db");
  constexpr const char* kBadIndex =
      "DIR/c.yaml:8: node.db_path: expected a directory that is there or can be created: Not a directory";
  EXPECT_EQ(problems_of(Sections{.node = bad_node, .object_storage = temporary_in("DIR/a/b/tmp")}.text()), kBadIndex);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "a"));
  std::filesystem::create_directory(directory_.path() / "a");
  EXPECT_EQ(problems_of(Sections{.node = bad_node, .object_storage = temporary_in("DIR/a/b/tmp")}.text()), kBadIndex);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() / "a")) << "what was there before stays";

  EXPECT_EQ(problems_of(Sections{.object_storage = temporary_in("DIR/file")}.text()),
            "DIR/c.yaml:10: object_storage.temporary_directory: expected a directory that is there or can be created: "
            "Not a directory");
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "db"));
  EXPECT_EQ(problems_of(Sections{.object_storage = temporary_in("DIR/a/b/../c")}.text()), "no error");
  EXPECT_TRUE(std::filesystem::is_directory(directory_.path() / "a/c"));
}

TEST_F(ConfigTest, AMissingRootIsNoProblemOfItsLinks) {
  EXPECT_EQ(problems_of(Sections{.node = replaced(kNode, "DIR/root", "/dev/shm/cherax-no-root")}.text()),
            "DIR/c.yaml:7: node.root: expected the absolute path of an existing directory");
}

TEST_F(ConfigTest, ANodesUrlIsThatOfItsNodeApi) {
  const auto with_url = [](const std::string& url) {
    return Sections{.coordinator = replaced(kCoordinator, "http://127.0.0.1:5515/node", "'" + url + "'")}.text();
  };
  for (const char* url :
       {"http://10.0.0.1:5515", "http://10.0.0.1:5515/", "http://10.0.0.1:5515/nodes", "http://node", "http:///node",
        "https://[bad/node", "http://10.0.0.1:99999/node", "http://10.0.0.1:port/node", "ftp://10.0.0.1/node",
        "http://10.0.0.1:5515/node?a=/node", "http://10.0.0.1:5515/node#/node", "http://10.0.0.1:5515/node/", ""}) {
    EXPECT_THAT(problems_of(with_url(url)),
                StartsWith("DIR/c.yaml:3: coordinator.nodes[0].url: expected http(s)://host:port/node"))
        << url;
  }
  for (const char* url : {"https://[::1]:5515/node", "http://cassandra-1/node", "http://user:hunter2@10.0.0.1:1/node",
                          "http://proxy/cassandra-1/node"}) {
    EXPECT_EQ(problems_of(with_url(url)), "no error") << url;
  }
}

TEST_F(ConfigTest, RetentionIsNotNegative) {
  for (const char* key : {"minimum_backups", "maximum_backups", "keep_days"}) {
    const auto with = [&](int number) {
      return Sections{.coordinator = fmt::format("{}  retention: {{{}: {}}}\n", kCoordinator, key, number)}.text();
    };
    EXPECT_EQ(problems_of(with(-1)),
              fmt::format("DIR/c.yaml:6: coordinator.retention.{}: expected a whole number from 0 up", key));
    EXPECT_EQ(problems_of(with(0)), "no error");
  }
}

TEST_F(ConfigTest, RefusesOneNodeThatIsListedTwice) {
  const auto with = [](const std::string& one, const std::string& other) {
    return Sections{.coordinator = fmt::format(R"(coordinator:
  nodes: [{{url: '{}'}}, {{url: '{}'}}]
  plugin: files
  plugin_config: {{root_globs: ["**"]}}
)",
                                               one, other)}
        .text();
  };
  constexpr const char* kUrl = "http://cassandra-1/node";
  for (const char* same : {kUrl, "http://Cassandra-1/node", "http://cassandra-1:80/node",
                           "http://user:hunter2@cassandra-1/node", "http://user:hunter2@CASSANDRA-1:80/node"}) {
    EXPECT_EQ(problems_of(with(kUrl, same)),
              "DIR/c.yaml:2: coordinator.nodes[1].url: expected the URL of another node than the entries before, "
              "however it is written: a node cannot be locked twice")
        << same << ": its second lock would fail for ever";
  }
  for (const char* other : {"https://cassandra-1/node", "http://cassandra-1:5515/node", "http://cassandra-1/1/node"}) {
    EXPECT_EQ(problems_of(with(kUrl, other)), "no error") << other;
  }
}

TEST_F(ConfigTest, RefusesSectionsThatDoNotMakeAServer) {
  const std::string no_node = "node: expected a section: every server is a node, one that coordinates too";
  EXPECT_EQ(problems_of(Sections{.node = ""}.text()), "DIR/c.yaml:1: " + no_node);
  EXPECT_EQ(problems_of(kObjectStorage), "DIR/c.yaml:1: " + no_node);
  EXPECT_THAT(problems_of(Sections{.object_storage = ""}.text()), HasSubstr("object_storage: expected a section"));
  EXPECT_THAT(problems_of(""), StartsWith("DIR/c.yaml: document: expected an object, found null"));
  EXPECT_THAT(problems_of("- a\n"), StartsWith("DIR/c.yaml:1: document: expected an object, found a list"));
  EXPECT_EQ(load(Sections{.coordinator = ""}.text()).coordinator, std::nullopt) << "a node alone is fine";
}

TEST_F(ConfigTest, NamesWhatIsWrongWithAStore) {
  const auto with_storages = [](const std::string& storages, const std::string& default_storage = "x") {
    return Sections{
        .coordinator = "",
        .object_storage = "object_storage:\n  temporary_directory: DIR/tmp\n  default_storage: " + default_storage +
                          "\n  compression: {algorithm: zstd}\n  storages: " + storages + "\n"}
        .text();
  };
  EXPECT_THAT(problems_of(with_storages("{x: {directory: DIR/a}}")),
              StartsWith("DIR/c.yaml:8: object_storage.storages.x.storage_type: expected one of local"));
  EXPECT_THAT(problems_of(with_storages("{x: {storage_type: local, dir: hunter2}}")),
              HasSubstr("DIR/c.yaml:8: object_storage.storages.x.dir: unknown key; expected one of directory, prefix"));
  EXPECT_THAT(problems_of(with_storages("{x: hunter2}")), StartsWith("DIR/c.yaml:8: object_storage.storages.x"));
  EXPECT_THAT(problems_of(with_storages("{}")), HasSubstr("object_storage.default_storage: expected the name of one"));
  EXPECT_THAT(problems_of(with_storages("{x: {storage_type: local}}")),
              StartsWith("DIR/c.yaml:8: object_storage.storages.x.directory: required, but missing"));
  EXPECT_THAT(problems_of(with_storages("{x: {storage_type: local, directory: DIR/a, prefix: ../b}}")),
              StartsWith("DIR/c.yaml"));
}

TEST_F(ConfigTest, ACacheNeedsStoragesWithNamesThatAFolderCanHave) {
  const auto text = [](const std::string& name, const std::string& cache) {
    return Sections{.coordinator = kCoordinator + cache,
                    .object_storage = replaced(replaced(kObjectStorage, "    x: {", "    '" + name + "': {"),
                                               "default_storage: x", "default_storage: '" + name + "'")}
        .text();
  };
  const std::string cache = "  object_storage_cache: DIR/cache\n";
  for (const std::string name : {"", ".", "..", "a/b", "../x", "/x", "x/"}) {
    EXPECT_EQ(problems_of(text(name, cache)),
              "DIR/c.yaml:15: object_storage.storages." + name +
                  ": expected a plain file name as its key: coordinator.object_storage_cache keeps its manifests in a "
                  "folder of that name");
    EXPECT_FALSE(std::filesystem::exists(directory_.path() / "tmp")) << name;
    EXPECT_EQ(problems_of(text(name, "")), "no error") << name;
    std::filesystem::remove(directory_.path() / "tmp");
  }
  for (const std::string name : {"x", "...", ".x", "a b"}) EXPECT_EQ(problems_of(text(name, cache)), "no error");
}

TEST_F(ConfigTest, NamesFileAndKeyOfWhatIsWrongWithTheCodec) {
  const auto with_codec = [](const std::string& codec) {
    return Sections{.coordinator = "",
                    .object_storage =
                        "object_storage:\n  temporary_directory: DIR/tmp\n  default_storage: x\n"
                        "  storages: {x: {storage_type: local, directory: DIR/a}}\n" +
                        codec}
        .text();
  };
  EXPECT_THAT(problems_of(with_codec("")), AllOf(StartsWith("DIR/c.yaml:"), HasSubstr("compression")));
  EXPECT_THAT(problems_of(with_codec("  compression: {algorithm: zstd, level: 99}\n")),
              AllOf(StartsWith("DIR/c.yaml:8: "), HasSubstr("compression"), HasSubstr("level")));
  EXPECT_THAT(problems_of(with_codec("  encryption_key_id: k\n  encryption_keys: {j: {public: hunter2}}\n")),
              StartsWith("DIR/c.yaml:8: object_storage.encryption_key_id: expected the name of one of"));
  EXPECT_THAT(
      problems_of(with_codec("  encryption_key_id: k\n  encryption_keys: {k: {public: hunter2, private: hunter2}}\n")),
      AllOf(StartsWith("DIR/c.yaml:9: "), HasSubstr("encryption_keys.k")));
}

TEST_F(ConfigTest, TakesKeysForEncryption) {
  json::object key{{"public", transform::testing::public_pem("rsa1024")},
                   {"private", transform::testing::private_pem("rsa1024")}};
  json::object section{
      {"temporary_directory", "DIR/tmp"},
      {"default_storage", "x"},
      {"storages", json::object{{"x", json::object{{"storage_type", "local"}, {"directory", "DIR/s"}}}}},
      {"encryption_key_id", "k"},
      {"encryption_keys", json::object{{"k", key}}}};
  const json::object file{{"node", json::object{{"root", "DIR/root"}, {"db_path", "DIR/db"}}},
                          {"object_storage", section}};
  EXPECT_NO_THROW(load(json::to_text(json::value(file)), "c.json"));
}

TEST_F(ConfigTest, ACommandThatOnlyReadsAStorageNeedsOnlyItsSection) {
  const auto storages = load_storages(write(kObjectStorage));
  EXPECT_EQ(storages->default_storage().name(), "x");
  EXPECT_TRUE(std::filesystem::is_directory(directory_.path() / "tmp")) << "made on demand";
}

TEST_F(ConfigTest, SuchACommandReadsTheCoordinatorsStorageThenTheFilesThenTheNodes) {
  const auto chosen = [&](const Sections& sections) { return store_of(load_storages(write(sections.text()))); };
  const Sections all{.coordinator = kOwnOfCoordinator, .node = kOwnOfNode};
  EXPECT_THAT(chosen(all), StartsWith("of-coordinator"));
  EXPECT_THAT(chosen({.node = kOwnOfNode}), StartsWith("store"));
  EXPECT_THAT(chosen({.node = kOwnOfNode, .object_storage = ""}), StartsWith("of-node"));
  EXPECT_THAT(chosen({.coordinator = "", .node = kOwnOfNode, .object_storage = ""}), StartsWith("of-node"));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "db")) << "what only a server needs";
}

constexpr const char* kClient = "    client: {config_path: DIR/cassandra.yaml, password: hunter2}\n";
constexpr const char* kNodetool = "    nodetool_command: [DIR/tool, -pw, hunter2]\n";
const std::string kCassandra = std::string{"  cassandra:\n"} + kClient + kNodetool;

TEST_F(ConfigTest, TellsWhatAPluginExpects) {
  const auto coordinator = [](const std::string& plugin) {
    return Sections{.coordinator = "coordinator:\n  nodes: [{url: http://127.0.0.1:5515/node}]\n  plugin: " + plugin,
                    .node = kNode + kCassandra}
        .text();
  };
  write_cassandra();
  EXPECT_THAT(problems_of(coordinator("files\n")),
              StartsWith("DIR/c.yaml:1: coordinator.plugin_config.root_globs: required, but missing"));
  EXPECT_THAT(problems_of(coordinator("files\n  plugin_config: {root_globs: ['*'], globs: []}\n")),
              StartsWith("DIR/c.yaml:4: coordinator.plugin_config.globs: unknown key; expected one of root_globs"));
  EXPECT_THAT(problems_of(coordinator("cassandra\n  plugin_config: {}\n")),
              StartsWith("DIR/c.yaml:4: coordinator.plugin_config.client: required, but missing"));
  EXPECT_THAT(problems_of(coordinator("cassandra\n  plugin_config: {client: {password: [hunter2], pass: hunter2}}\n")),
              AllOf(HasSubstr("c.yaml:4: coordinator.plugin_config.client.password: expected text, found a list"),
                    HasSubstr("c.yaml:4: coordinator.plugin_config.client.pass: unknown key")));
  EXPECT_THAT(problems_of(coordinator("cassandra\n  plugin_config: {client: {}, nodes: [{}, {}]}\n")),
              StartsWith("DIR/c.yaml:4: coordinator.plugin_config.nodes: expected 1 entries, as many as"));
  EXPECT_EQ(
      load(coordinator("cassandra\n  plugin_config: {client: {username: u, password: hunter2}}\n")).plugin->name(),
      "cassandra");
}

class CassandraSectionTest : public ConfigTest {
 protected:
  CassandraSectionTest() {
    write_cassandra();
    write_durably(directory_.path() / "text", "no program\n");
    std::filesystem::permissions(directory_.path() / "text", std::filesystem::perms{0644});
  }
  static Sections with(const std::string& section) {
    return {.coordinator = "", .node = std::string{kNode} + "  cassandra:\n" + section};
  }
};

TEST_F(CassandraSectionTest, BackupsNeedOnlyNodetool) {
  const Config config = load(with(std::string{kClient} + kNodetool).text());
  ASSERT_EQ(config.extensions.size(), 1U);
  EXPECT_EQ(config.extensions[0]->name(), "cassandra");
  EXPECT_NO_THROW(config.extensions[0]->require_allowed("take-snapshot"));
  EXPECT_THROW(config.extensions[0]->require_allowed("stop-cassandra"), http::ResponseError) << "read is the default";
}

TEST_F(CassandraSectionTest, RestoresNeedTheCommandsToStartAndStop) {
  const auto writing = std::string{kClient} + kNodetool + "    access_level: write\n";
  EXPECT_EQ(problems_of(with(writing).text()),
            "DIR/c.yaml:4: node.cassandra.start_command: expected a list: a program and its arguments\n"
            "DIR/c.yaml:4: node.cassandra.stop_command: expected a list: a program and its arguments");
  EXPECT_NO_THROW(load(with(writing + "    start_command: [DIR/tool]\n    stop_command: [DIR/tool, x]\n").text()));
}

TEST_F(CassandraSectionTest, EachProgramMustBeThereWhenTheServerStarts) {
  const auto problems = problems_of(with(std::string{kClient} + "    nodetool_command: [DIR/missing, hunter2]\n"
                                                                "    start_command: [DIR/text]\n"
                                                                "    stop_command: [no-such-program-anywhere]\n")
                                        .text());
  EXPECT_THAT(problems, HasSubstr("DIR/c.yaml:6: node.cassandra.nodetool_command: expected a program that can be "
                                  "executed: "));
  EXPECT_THAT(problems, HasSubstr("DIR/c.yaml:7: node.cassandra.start_command: expected a program that can be "));
  EXPECT_THAT(problems, HasSubstr("DIR/c.yaml:8: node.cassandra.stop_command: expected a program that can be "));
}

TEST_F(CassandraSectionTest, CassandrasYamlMustBeThere) {
  constexpr const char* kExpected =
      "node.cassandra.client.config_path: expected the path of this node's cassandra.yaml";
  EXPECT_EQ(problems_of(with(std::string{"    client: {}\n"} + kNodetool).text()),
            "DIR/c.yaml:5: " + std::string{kExpected});
  EXPECT_EQ(problems_of(with(std::string{"    client: {config_path: DIR/no.yaml}\n"} + kNodetool).text()),
            "DIR/c.yaml:5: " + std::string{kExpected});
}

TEST_F(CassandraSectionTest, HardLinksMustBePossibleWhereTheDataIs) {
  const auto data = directory_.path() / "root" / "data";
  std::filesystem::create_directory(data);
  auto sections = with(std::string{kClient} + kNodetool);
  EXPECT_EQ(problems_of(sections.text()), "no error");
  ASSERT_EQ(::mount("tmpfs", data.c_str(), "tmpfs", 0, nullptr), 0) << "the test needs to be root, and to mount";
  EXPECT_THAT(problems_of(sections.text()),
              StartsWith("DIR/c.yaml:4: node.cassandra: expected node.root_link on the file system, and "
                         "the mount of it, of DIR/root/data, for example DIR/root/data/.astacus"));
  sections.node = replaced(sections.node, "  db_path", "  root_link: DIR/root/data/.astacus\n  db_path");
  EXPECT_EQ(problems_of(sections.text()), "no error");
  ::umount(data.c_str());
}

TEST_F(CassandraSectionTest, ListsProblemsOfShapeWithoutASecret) {
  const auto problems = problems_of(with("    client: {config_path: DIR/cassandra.yaml, pasword: hunter2}\n"
                                         "    nodetool_command: hunter2\n"
                                         "    access_level: hunter2\n"
                                         "    jmx_port: 70000\n")
                                        .text());
  EXPECT_THAT(problems, HasSubstr("c.yaml:5: node.cassandra.client.pasword: unknown key"));
  EXPECT_THAT(problems, HasSubstr("c.yaml:6: node.cassandra.nodetool_command: expected a list, found text"));
  EXPECT_THAT(problems, HasSubstr("c.yaml:7: node.cassandra.access_level: expected one of read, write"));
  EXPECT_THAT(problems, HasSubstr("c.yaml:8: node.cassandra.jmx_port: expected a whole number from 0 to 65535"));
}

TEST_F(CassandraSectionTest, ACoordinatorOfCassandraIsANodeOfCassandraToo) {
  const std::string coordinator = replaced(kCoordinator, "files", "cassandra");
  const auto of_cassandra = replaced(coordinator, "{root_globs: [\"**\"]}", "{client: {}}");
  for (const char* none : {"", "  cassandra: null\n"}) {
    EXPECT_THAT(problems_of(Sections{.coordinator = of_cassandra, .node = std::string{kNode} + none}.text()),
                AllOf(HasSubstr("node.cassandra: expected a section: coordinator.plugin is cassandra, and a server "
                                "that coordinates is a node too"),
                      Not(HasSubstr("\n"))));
  }
  EXPECT_EQ(problems_of(Sections{.coordinator = of_cassandra, .node = kNode + kCassandra}.text()), "no error");
  EXPECT_EQ(problems_of(Sections{.node = kNode + kCassandra}.text()), "no error") << "other plugins do not mind it";
}

TEST_F(CassandraSectionTest, WithoutASectionItsOperationsSayThatThereIsNone) {
  const Config config = load(Sections{}.text());
  ASSERT_EQ(config.extensions.size(), 1U);
  try {
    config.extensions[0]->require_allowed("take-snapshot");
    FAIL();
  } catch (const http::ResponseError& error) {
    EXPECT_EQ(error.response.status, 409);
    EXPECT_EQ(error.response.body.text(1000), R"({"detail":"Cassandra node configuration not found"})");
  }
}

TEST_F(ConfigTest, AMissingFileIsNamed) {
  try {
    load_config(directory_.path() / "none.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.message(), HasSubstr("none.yaml"));
  }
}

}  // namespace
}  // namespace cherax::app
