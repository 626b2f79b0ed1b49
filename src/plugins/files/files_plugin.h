#pragma once

#include "coordinator/plugin.h"
#include "plugins/files/options.h"

namespace cherax::plugins::files {

/// Backs up the files below each node's root that match globs, and puts them back: the smallest complete plugin.
class FilesPlugin final : public coordinator::Plugin {
 public:
  explicit FilesPlugin(FilesOptions options) : options_(std::move(options)) {}

  std::string_view name() const override { return "files"; }
  coordinator::StepList backup_steps() const override;
  coordinator::StepList restore_steps() const override;
  void backup(coordinator::Backup& backup) override;
  void restore(coordinator::Restore& restore) override;

 private:
  FilesOptions options_;
};

}  // namespace cherax::plugins::files
