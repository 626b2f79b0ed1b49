#include <sys/stat.h>
#include <unistd.h>

#include "base/command.h"
#include "base/file.h"
#include "base/log.h"
#include "cassandra/configuration_edit.h"
#include "plugins/cassandra/extension.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

/// A node that is stopped stays so this long before anything is done to its files: something may restart it.
constexpr std::chrono::seconds kStillStopped{5};
constexpr std::size_t kLargestYaml = 4 * 1024 * 1024;

void empty_directory(const std::filesystem::path& directory) {
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator{directory, missing})
    std::filesystem::remove_all(entry.path());
}

/// Cassandra's user must be able to read it, and it may hold passwords: it is for the group of cassandra.yaml, and for
/// everybody only if that is.
void give_to_group_of(const std::filesystem::path& original, const std::filesystem::path& file) {
  const auto status = status_of(original);
  if (!status) return;
  if (::chown(file.c_str(), static_cast<::uid_t>(-1), status->st_gid) != 0)
    log::debug("chown of {} is not permitted", file.string());
  ::chmod(file.c_str(), 0640 | (status->st_mode & 0004));
}

}  // namespace

void Extension::stop_cassandra(const StopRequest& request, std::stop_token stop) {
  // There must be a way to know that it is stopped; but what a restore has left half done is stopped in any case.
  if (!request.cleared) traces();
  const auto marker = restore_marker();
  auto begun = marker.read();
  if (begun && (begun->given_up || !(request.cleared || marker.is_alone(*begun, directories())))) begun.reset();
  if (begun) {
    begun->stopping = true;
    marker.write(*begun);
  }
  bool drained = false;
  if (request.drain) {
    try {
      run(options_->nodetool_command, {"drain"}, stop);
      drained = true;
    } catch (const Error& error) {
      log::warning("the node could not be drained, its commit log will be emptied: {}", error.message());
    }
  }
  run(options_->stop_command, {}, stop);
  const auto traces = this->traces();
  lib::wait_until_stopped([&] { return lib::sign_of_life(traces); }, kStillStopped, clock_, command_deadline(), stop);
  if (request.drain && !drained) empty_directory(directories().commitlog);
  if (begun) {
    begun->stopping = false;
    marker.write(*begun);
  }
}

void Extension::start_cassandra(const StartRequest& request, std::stop_token stop) {
  const std::filesystem::path original = options_->client.config_path.value();
  std::vector<lib::Change> changes{{"auto_bootstrap", false}};
  if (request.tokens) {
    changes.push_back({"initial_token", fmt::format("{}", fmt::join(*request.tokens, ","))});
    changes.push_back({"num_tokens", static_cast<std::int64_t>(request.tokens->size())});
  }
  const auto edited = lib::edit(read_text(original, kLargestYaml), changes);
  if (!edited) throw edited.error().in_context(fmt::format("editing {}", original.string()));
  write_durably(edited_configuration(), *edited, 0640);
  give_to_group_of(original, edited_configuration());
  run(options_->start_command, {edited_configuration().string()}, std::move(stop));
}

}  // namespace cherax::plugins::cassandra
