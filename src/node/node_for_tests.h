#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "http/client.h"
#include "http/server.h"
#include "node/node.h"
#include "repository/storages.h"
#include "storage/object_store.h"
#include "storage/temporary_directory.h"

// For tests of this room and of plugins: node APIs that are really served.
namespace cherax::node::test {

/// Waits until `done`, which may look as often as it likes; fails the test when that takes too long.
inline void wait_until(const std::function<bool()>& done) {
  const auto patience = Deadline::in(std::chrono::seconds{60});
  while (!done()) {
    if (patience.passed()) fail(ErrorKind::internal, "the test waited too long");
    std::this_thread::yield();
  }
}

/// One storage "x" on `store`, with zstd.
inline std::unique_ptr<repository::Storages> storages_on(std::unique_ptr<storage::ObjectStore> store,
                                                         const std::filesystem::path& temporary_directory) {
  std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores;
  stores.emplace("x", std::move(store));
  return std::make_unique<repository::Storages>("x", std::move(stores),
                                                repository::CodecOptions{.compression = transform::Compression{}},
                                                temporary_directory, std::nullopt);
}

/// Options for a node that keeps everything below `directory`: its root is `directory`/root.
inline NodeOptions options_below(const std::filesystem::path& directory) {
  NodeOptions options;
  options.root = directory / "root";
  options.root_link = directory / "root/.astacus";
  options.db_path = directory / "db";
  options.temporary_directory = directory / "tmp";
  for (const auto& made : {options.root, options.db_path, options.temporary_directory})
    std::filesystem::create_directories(made);
  return options;
}

/// A file with this content, written an hour ago: nothing waits for it to settle.
inline void write_old(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::create_directories(path.parent_path());
  write_durably(path, content);
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours{1});
}

struct Answer {
  int status = 0;
  json::value body;
};

inline Answer ask(http::Client& client, const std::string& method, const std::string& url, const std::string& body = {},
                  http::Headers headers = {}) {
  http::ClientRequest request;
  request.method = method;
  request.url = url;
  request.body = http::Body{body};
  request.headers = std::move(headers);
  const auto response = client.perform(std::move(request));
  const std::string text = response.body.text(http::kBodyInMemory);
  const auto parsed = json::parse(text);
  return {response.status, parsed ? *parsed : json::value(text)};
}

/// A node served on a free port of loopback.
class ServedNode {
 public:
  ServedNode(const NodeOptions& options, repository::Storages& storages, http::Client& client, Clock& clock,
             std::vector<std::unique_ptr<Extension>> extensions = {})
      : client_(client), node_(options, storages, client, clock, std::move(extensions)) {
    http::Router router;
    node_.add_routes(router);
    server_ = std::make_unique<http::Server>(
        http::ServerOptions{.port = 0, .spool_directory = options.temporary_directory}, std::move(router));
  }

  std::string url(std::string_view path = {}) const {
    return fmt::format("http://127.0.0.1:{}{}", server_->port(), path);
  }
  Answer ask(const std::string& method, const std::string& path, const std::string& body = {},
             http::Headers headers = {}) const {
    return test::ask(client_, method, url(path), body, std::move(headers));
  }
  /// Starts an operation and returns its final result.
  json::value run(const std::string& path, const std::string& body) const {
    const Answer started = ask("POST", path, body);
    EXPECT_EQ(started.status, 200) << path << ": " << started.body;
    return result_of(started);
  }
  json::value result_of(const Answer& started) const {
    const std::string status_url{started.body.at("status_url").as_string()};
    Answer result;
    wait_until([&] {
      result = test::ask(client_, "GET", status_url);
      EXPECT_EQ(result.status, 200) << result.body;
      return result.status != 200 || result.body.at("progress").at("final").as_bool();
    });
    return result.body;
  }

 private:
  http::Client& client_;
  Node node_;
  std::unique_ptr<http::Server> server_;  // last: it ends first
};

}  // namespace cherax::node::test
