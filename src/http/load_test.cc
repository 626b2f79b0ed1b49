#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "http/server.h"

// Many requests and large ones, client against server.
namespace cherax::http {
namespace {

using namespace std::chrono_literals;

std::filesystem::path temporary_directory() { return std::filesystem::temp_directory_path(); }

ServerOptions server_options() { return {.port = 0, .spool_directory = temporary_directory()}; }

Deadline generous() { return Deadline::in(250s); }

/// Counts how many of its handlers run at a time.
struct Counter {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::atomic<int> calls{0};

  Handler handler() {
    return [this](const Request& request) {
      ++calls;
      const int current = ++now;
      for (int seen = most; seen < current && !most.compare_exchange_weak(seen, current);) {
      }
      std::this_thread::yield();
      --now;
      return Response::json(request.body.text(1000));
    };
  }
};

TEST(HttpLoad, AnswersTwoHundredRequestsAtOnce) {
  Counter counter;
  Router router;
  router.add({"POST", "/{number}", Lane::node, counter.handler()});
  Server server{server_options(), std::move(router)};
  Client client{{.spool_directory = temporary_directory(), .maximum_transfers = 200, .maximum_per_host = 200}};
  std::vector<std::future<Response>> futures;
  for (int i = 0; i < 200; ++i) {
    futures.push_back(client.send({.method = "POST",
                                   .url = fmt::format("http://127.0.0.1:{}/{}", server.port(), i),
                                   .body = Body{fmt::format("[{}]", i)},
                                   .deadline = generous()}));
  }
  for (int i = 0; i < 200; ++i) {
    const auto response = futures[i].get();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body.text(100), fmt::format("[{}]", i));
  }
  EXPECT_EQ(counter.calls, 200);
}

TEST(HttpLoad, SendsFromManyThreads) {
  Counter counter;
  Router router;
  router.add({"GET", "/", Lane::node, counter.handler()});
  Server server{server_options(), std::move(router)};
  Client client{{.spool_directory = temporary_directory()}};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 25; ++k) {
          const auto url = fmt::format("http://127.0.0.1:{}/", server.port());
          EXPECT_EQ(client.perform({.url = url, .deadline = generous()}).status, 200);
        }
      });
    }
  }
  EXPECT_EQ(counter.calls, 200);
}

TEST(HttpLoad, KeepsToTheLimitsOfTransfers) {
  for (const auto& [total, per_host] : {std::pair{3, 16}, {16, 2}}) {
    Counter counter;
    Router router;
    router.add({"GET", "/", Lane::node, counter.handler()});
    Server server{server_options(), std::move(router)};
    Client client{{.spool_directory = temporary_directory(),
                   .maximum_transfers = static_cast<std::size_t>(total),
                   .maximum_per_host = static_cast<std::size_t>(per_host)}};
    std::vector<std::future<Response>> futures;
    for (int i = 0; i < 100; ++i) {
      futures.push_back(
          client.send({.url = fmt::format("http://127.0.0.1:{}/", server.port()), .deadline = generous()}));
    }
    for (auto& future : futures) EXPECT_EQ(future.get().status, 200);
    EXPECT_LE(counter.most, std::min(total, per_host));
    EXPECT_EQ(counter.calls, 100);
  }
}

std::uint64_t peak_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  }
  fail(ErrorKind::internal, "no VmHWM in /proc/self/status");
}

void reset_peak_memory() { File{"/proc/self/clear_refs", O_WRONLY}.write(as_bytes("5")); }

/// Bytes that differ from block to block.
Body large_body(std::size_t mebibytes) {
  auto file = File::temporary(temporary_directory());
  std::string block(1024 * 1024, '\0');
  for (std::size_t i = 0; i < mebibytes; ++i) {
    for (std::size_t k = 0; k < block.size(); k += 64) block[k] = static_cast<char>(i * 31 + k / 64 * 7);
    file.write(as_bytes(block));
  }
  return Body{std::move(file)};
}

bool same_bytes(const Body& left, const Body& right) {
  const auto one = left.open();
  const auto other = right.open();
  Bytes one_buffer(kStreamBuffer);
  Bytes other_buffer(kStreamBuffer);
  for (;;) {
    const auto one_size = read_full(*one, one_buffer);
    const auto other_size = read_full(*other, other_buffer);
    if (one_size != other_size || one_buffer != other_buffer) return false;
    if (one_size == 0) return true;
  }
}

TEST(HttpLoad, StreamsLargeBodiesBothWaysWithLittleMemory) {
  constexpr std::size_t kMebibytes = 300;
  Router router;
  router.add({"PUT", "/", Lane::slow, [](const Request& request) { return Response{.body = request.body}; }});
  Server server{server_options(), std::move(router)};
  Client client{{.spool_directory = temporary_directory()}};
  const auto url = fmt::format("http://127.0.0.1:{}/", server.port());
  // Once with a small body, for what the first request allocates for good.
  EXPECT_EQ(client.perform({.method = "PUT", .url = url, .body = large_body(2), .deadline = generous()}).status, 200);

  const auto body = large_body(kMebibytes);
  reset_peak_memory();
  const auto before = peak_memory();
  const auto response = client.perform({.method = "PUT", .url = url, .body = body, .deadline = generous()});
  const auto growth = peak_memory() - before;
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), kMebibytes * 1024 * 1024);
  EXPECT_TRUE(same_bytes(response.body, body));
  EXPECT_LT(growth, 32u * 1024 * 1024);
  RecordProperty("memory_growth", std::to_string(growth));
}

}  // namespace
}  // namespace cherax::http
