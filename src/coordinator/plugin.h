#pragma once

#include <string_view>

#include "coordinator/backup.h"
#include "coordinator/plan.h"
#include "coordinator/restore.h"

namespace cherax::coordinator {

/// What is backed up and how. Its code runs on the thread of an operation, under the cluster lock, and reads as the
/// documented steps: each is one call of Plan::step. What an attempt has taken from the nodes it gives back by scope
/// guards. One plugin serves all operations, one at a time.
class Plugin {
 public:
  virtual ~Plugin() = default;
  /// As in the manifest: "files", "cassandra".
  virtual std::string_view name() const = 0;
  virtual StepList backup_steps() const = 0;
  virtual StepList restore_steps() const = 0;
  virtual void backup(Backup& backup) = 0;
  virtual void restore(Restore& restore) = 0;
};

}  // namespace cherax::coordinator
