#include "plugins/files/files_plugin.h"

namespace cherax::plugins::files {

using coordinator::StepName;

namespace {

constexpr StepName kSnapshot{"snapshot the files of all nodes", "SnapshotStep"};
constexpr StepName kFindMissing{"find what object storage lacks", "ListHexdigestsStep"};
constexpr StepName kUpload{"upload it", "UploadBlocksStep"};
constexpr StepName kWriteManifest{"write the manifest", "UploadManifestStep"};
constexpr std::array kBackupSteps{&kSnapshot, &kFindMissing, &kUpload, &kWriteManifest};

constexpr StepName kFindBackup{"find the backup", "BackupNameStep"};
constexpr StepName kReadManifest{"read its manifest", "BackupManifestStep"};
constexpr StepName kMapNodes{"map the backup's nodes to nodes", "MapNodesStep"};
constexpr StepName kDownload{"download the files", "RestoreStep"};
constexpr std::array kRestoreSteps{&kFindBackup, &kReadManifest, &kMapNodes, &kDownload};

}  // namespace

coordinator::StepList FilesPlugin::backup_steps() const { return kBackupSteps; }
coordinator::StepList FilesPlugin::restore_steps() const { return kRestoreSteps; }

void FilesPlugin::backup(coordinator::Backup& backup) {
  coordinator::Plan& plan = backup.plan();
  std::vector<api::SnapshotGroup> groups;
  for (const std::string& glob : options_.root_globs) groups.push_back({.root_glob = glob});

  plan.step(kSnapshot, [&] { backup.snapshot(groups); });
  plan.step(kFindMissing, [&] { backup.find_missing(); });
  plan.step(kUpload, [&] { backup.upload(); });
  plan.step(kWriteManifest, [&] { backup.write_manifest(name(), json::object{}); });
}

void FilesPlugin::restore(coordinator::Restore& restore) {
  coordinator::Plan& plan = restore.plan();
  plan.step(kFindBackup, [&] { restore.find_backup(); });
  plan.step(kReadManifest, [&] { restore.read_manifest(name()); });
  const auto nodes = plan.step(kMapNodes, [&] { return restore.map_nodes_by_az(); });
  plan.attempts(restore.attempts(), kDownload, [&] {
    plan.step(kDownload, [&] {
      restore.require_space(nodes);
      restore.download(nodes);
    });
  });
}

}  // namespace cherax::plugins::files
