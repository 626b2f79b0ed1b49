#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/App.hpp>
#include <cerrno>

#include "cli/human.h"
#include "cli/manifest.h"
#include "snapshot/materialize.h"
#include "snapshot/relative_path.h"

namespace cherax::cli {

namespace {

constexpr std::size_t kWorkers = 4;

struct DownloadOptions {
  std::string name;
  std::filesystem::path destination;
  std::string prefix;
  std::uint32_t node = 0;
};

/// What --json prints.
struct Downloaded {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::string destination;
};
BOOST_DESCRIBE_STRUCT(Downloaded, (), (files, bytes, destination))

/// Holds the lists of a download under way, which need not fit in memory.
class WorkDirectory {
 public:
  WorkDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "cherax-download-XXXXXX";
    if (!::mkdtemp(name.data())) fail_errno(errno, "creating a directory " + name);
    path_ = name;
  }
  ~WorkDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Tells the materializer all files that are wanted, so that nothing is written when one of them is refused.
Downloaded want_files(const repository::SpooledManifest& manifest, const DownloadOptions& options,
                      snapshot::Materializer& materializer) {
  Downloaded wanted{.destination = options.destination.string()};
  const auto read = manifest.read({.file = [&](std::size_t node, const api::SnapshotFile& file) {
    if (node != options.node || !file.relative_path.starts_with(options.prefix)) return;
    materializer.want(snapshot::from_message(file));
    ++wanted.files;
    wanted.bytes += static_cast<std::int64_t>(file.file_size);
  }});
  const auto nodes = read.snapshot_results.size();
  if (options.node >= nodes) {
    fail(ErrorKind::invalid, "{} has {} nodes, counted from 0: there is no node {}", options.name, nodes, options.node);
  }
  if (wanted.files == 0) {
    fail(ErrorKind::not_found, "{} has no file of node {} ({}) that begins with \"{}\"", options.name, options.node,
         snapshot::printable(read.snapshot_results[options.node].hostname), snapshot::printable(options.prefix));
  }
  return wanted;
}

ExitCode download(CommandLine& line, repository::Repository& storage, const DownloadOptions& options) {
  const auto name = repository::BackupName::parse(options.name).value();
  const auto manifest = storage.manifests().open(name);

  std::error_code error;
  std::filesystem::create_directories(options.destination, error);
  if (error) fail_errno(error.value(), "creating " + options.destination.string());
  const WorkDirectory work;
  snapshot::Index index{work.path() / "index.db"};
  snapshot::Materializer materializer{{.root = options.destination, .globs = {}, .workers = kWorkers}, index};
  const auto downloaded = want_files(manifest, options, materializer);

  snapshot::Progress progress;
  materializer.compare(progress, {});
  snapshot::require_space(materializer.required_space());
  materializer.restore(
      [&](const Digest& digest, std::uint64_t size, Sink& sink) { storage.reader().fetch(digest, size, sink); },
      progress, {});

  line.console().out << (line.options().json ? json::to_text(downloaded)
                                             : fmt::format("{} files ({}) are in {}", downloaded.files,
                                                           format_size(downloaded.bytes), downloaded.destination))
                     << '\n';
  return ExitCode::success;
}

}  // namespace

void add_manifest_download_files(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage) {
  const auto options = std::make_shared<DownloadOptions>();
  auto& command = line.add_command(
      group, "download-files", "Fetch files of one node, each checked against its digest",
      [&line, options, storage = std::move(storage)] { return download(line, storage->open(), *options); });
  command.add_option("manifest", options->name, "Its name, as manifest list prints it")->required();
  command.add_option("destination", options->destination, "The directory to put them into")->required();
  command.add_option("--prefix", options->prefix, "What their paths begin with")->required();
  command.add_option("--node", options->node, "The node, counted from 0 as in manifest describe")->required();
}

}  // namespace cherax::cli
