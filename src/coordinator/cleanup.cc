#include "coordinator/coordinator.h"
#include "repository/garbage.h"
#include "repository/retention.h"

namespace cherax::coordinator {

namespace {

constexpr StepName kListBackups{"list the backups", "ListBackupsStep"};
constexpr StepName kChoose{"choose which backups stay", "ComputeKeptBackupsStep"};
constexpr StepName kDelete{"delete the others and what only they need", "DeleteDanglingHexdigestsStep"};
constexpr std::array kCleanupSteps{&kListBackups, &kChoose, &kDelete};

/// The request's rules, each in place of the configured one.
api::Retention merge(api::Retention retention, const std::optional<api::Retention>& request) {
  if (!request) return retention;
  if (request->minimum_backups) retention.minimum_backups = request->minimum_backups;
  if (request->maximum_backups) retention.maximum_backups = request->maximum_backups;
  if (request->keep_days) retention.keep_days = request->keep_days;
  return retention;
}

/// Error{not_found} for a name that no backup has: a typing error must not pass for success.
std::vector<repository::BackupName> named_backups(const std::vector<std::string>& names,
                                                  const std::vector<repository::BackupName>& all) {
  std::vector<repository::BackupName> named;
  for (const std::string& text : names) {
    const auto name = repository::BackupName::parse(text).value();
    if (std::ranges::find(all, name) == all.end())
      fail(ErrorKind::not_found, "there is no backup \"{}\" to delete", text);
    named.push_back(name);
  }
  return named;
}

/// Those that go anyway need not be readable.
std::vector<repository::DatedBackup> dated_backups(repository::Manifests& manifests,
                                                   const std::vector<repository::BackupName>& all,
                                                   const std::vector<repository::BackupName>& named) {
  std::vector<repository::DatedBackup> backups;
  for (const auto& name : all) {
    if (name.kind() == repository::BackupName::Kind::other) continue;
    repository::DatedBackup backup{name, {}, {}};
    if (std::ranges::find(named, name) == named.end()) {
      const auto manifest = manifests.open(name).read();
      backup.start = manifest.start;
      backup.end = manifest.end;
    }
    backups.push_back(backup);
  }
  return backups;
}

}  // namespace

void Coordinator::run_cleanup(Operation& operation, const api::CleanupRequest& request) {
  Plan plan{kCleanupSteps, std::nullopt, operation, operation.stop()};
  repository::Repository& storage = storages_.find(request.storage);
  std::vector<repository::BackupName> named;
  const auto backups = plan.step(kListBackups, [&] {
    const auto all = storage.manifests().list();
    named = named_backups(request.explicit_delete, all);
    return dated_backups(storage.manifests(), all, named);
  });
  const auto choice = plan.step(kChoose, [&] {
    return repository::plan_retention(backups, merge(options_.retention, request.retention), named, clock_.now());
  });
  plan.step(kDelete, [&] {
    for (const auto& name : choice.remove) log::info("deletes {}", name.full());
    repository::GarbageOptions options{
        options_.gc_grace, operation.stop(), [&](std::uint64_t seen, std::uint64_t removed) {
          plan.progress({.handled = static_cast<std::int64_t>(removed), .total = static_cast<std::int64_t>(seen)});
        }};
    const auto result =
        repository::collect_garbage(storage.store(), storage.manifests(), choice.remove, clock_.now(), options);
    log::info("removed {} blocks of {} bytes, {} remain", result.removed, result.removed_bytes, result.kept);
  });
}

}  // namespace cherax::coordinator
