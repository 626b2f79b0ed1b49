#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/manual_clock.h"
#include "cli/commands.h"
#include "http/server.h"

namespace cherax::cli {

/// A clock whose time passes only by sleeping, and that tells each sleep.
class ScriptedClock final : public Clock {
 public:
  Timestamp now() override { return clock_.now(); }
  SteadyTime steady() override { return clock_.steady(); }
  bool sleep_for(Duration duration, std::stop_token stop) override {
    sleeps.push_back(duration);
    if (on_sleep) on_sleep(sleeps.size());
    return clock_.sleep_for(duration, std::move(stop));
  }

  std::vector<Duration> sleeps;
  std::function<void(std::size_t)> on_sleep;  ///< with the number of the sleep, from 1

 private:
  ManualClock clock_;
};

/// A real HTTP server that gives the answers of a script: for each request the next one, the last one for ever.
class ScriptedServer {
 public:
  ScriptedServer() { start(0); }

  /// `what` is like "GET /backup/7".
  void on(const std::string& what, std::vector<http::Response> answers) {
    std::scoped_lock lock{mutex_};
    answers_[what] = {answers.begin(), answers.end()};
  }
  void on(const std::string& what, const std::string& json, int status = 200) {
    on(what, {http::Response::json(json, status)});
  }
  struct Received {
    std::string what;
    http::Parameters query;
    std::string body;
  };
  std::vector<Received> received() {
    std::scoped_lock lock{mutex_};
    return received_;
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  void stop() { server_.reset(); }
  void start_again() { start(port_); }

 private:
  void start(std::uint16_t port) {
    http::Router router;
    for (const char* method : {"GET", "POST"}) {
      for (const char* path : {"/{a}", "/{a}/{b}"}) {
        router.add({method, path, http::Lane::coordinator, [this](const auto& request) { return answer(request); }});
      }
    }
    server_ =
        std::make_unique<http::Server>(http::ServerOptions{.port = port, .spool_directory = "/tmp"}, std::move(router));
    port_ = server_->port();
  }

  http::Response answer(const http::Request& request) {
    std::scoped_lock lock{mutex_};
    const auto what = request.method + " " + request.path;
    received_.push_back({what, request.query, request.body.text(http::kBodyInMemory)});
    const auto script = answers_.find(what);
    if (script == answers_.end()) return http::Response::json(R"({"detail":"Not Found"})", 404);
    auto next = script->second.front();
    if (script->second.size() > 1) script->second.pop_front();
    return next;
  }

  std::mutex mutex_;
  std::map<std::string, std::deque<http::Response>> answers_;
  std::vector<Received> received_;
  std::uint16_t port_ = 0;
  std::unique_ptr<http::Server> server_;
};

/// Runs command lines as the program would.
class CommandTest : public ::testing::Test {
 protected:
  struct Ended {
    ExitCode code;
    std::string out;
    std::string err;
  };

  /// `arguments` without the program's name.
  Ended run(const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    CommandLine line{"a test", Console{out, err, clock_, live_, [] { return 60; }}};
    add_client_commands(line, open_storages_);
    std::vector<const char*> pointers{"cherax"};
    for (const auto& argument : arguments) pointers.push_back(argument.c_str());
    const auto code = line.run(static_cast<int>(pointers.size()), pointers.data());
    return {code, out.str(), err.str()};
  }

  bool live_ = false;
  ScriptedClock clock_;
  OpenStorages open_storages_;
};

}  // namespace cherax::cli
