#pragma once

#include <filesystem>
#include <optional>

#include "cassandra/configuration.h"
#include "cassandra/process.h"
#include "node/extension.h"
#include "node/options.h"
#include "plugins/cassandra/begun_restore.h"
#include "plugins/cassandra/messages.h"
#include "plugins/cassandra/options.h"

namespace cherax::plugins::cassandra {

/// What a node does with its Cassandra. Each operation is a function of the Task and its request; the node runs them
/// one at a time.
class Extension final : public node::Extension {
 public:
  /// `options` nullopt: this node has no Cassandra configured.
  Extension(std::optional<NodeOptions> options, node::NodeOptions node, Clock& clock);

  std::string_view name() const override { return "cassandra"; }
  std::vector<Operation> operations() override;
  void require_allowed(std::string_view operation) const override;

 private:
  // node_ring.cc
  SchemaHashResult get_schema_hash();
  RingResult get_ring();
  BuildsResult get_builds();
  // node_configuration.cc
  ConfigurationResult get_configuration();
  // node_snapshot.cc
  TakeSnapshotResult take_snapshot(std::stop_token stop);
  void remove_snapshot();
  // node_process.cc
  void stop_cassandra(const StopRequest& request, std::stop_token stop);
  void start_cassandra(const StartRequest& request, std::stop_token stop);
  // node_restore.cc
  void clear(const ClearRequest& request);
  void place(const PlaceRequest& request);
  void finish_restore(const FinishRequest& request);

  /// As it is on the disk now: an operator may have changed it since the server started.
  ::cherax::cassandra::Configuration configuration() const;
  ::cherax::cassandra::Directories directories() const;
  /// Error{invalid} unless Cassandra's data is exactly in `<root>/data`, and that is no symbolic link.
  void require_data_directory() const;
  /// Links are not followed below the root: what is behind one would not be backed up.
  static void require_no_link(const std::filesystem::path& directory);
  std::filesystem::path data_directory() const { return node_.root / "data"; }
  RestoreMarker restore_marker() const {
    return {node_.db_path / "restore", edited_configuration(), std::chrono::seconds{options_->command_timeout}};
  }
  std::filesystem::path edited_configuration() const { return node_.db_path / "cassandra.yaml"; }
  ::cherax::cassandra::NodeTraces traces() const;
  std::string run(const std::vector<std::string>& command, std::vector<std::string> arguments,
                  std::stop_token stop) const;
  Deadline command_deadline() const { return Deadline::in(std::chrono::seconds{options_->command_timeout}); }
  template <class Request, class Work>
  Operation operation(const std::string& name, node::Shape shape, Work work);

  const std::optional<NodeOptions> options_;
  const node::NodeOptions node_;
  Clock& clock_;
};

}  // namespace cherax::plugins::cassandra
