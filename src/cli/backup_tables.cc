#include "cli/backup_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "cli/human.h"
#include "cli/table.h"
#include "snapshot/relative_path.h"

namespace cherax::cli {

namespace {

using Entries = std::vector<api::ListEntry>;

Column column(std::string header, Align align, const Entries& backups,
              const std::function<std::string(const api::ListEntry&)>& cell) {
  Column result{std::move(header), align, {}};
  for (const auto& backup : backups) result.cells.push_back(snapshot::printable(cell(backup)));
  return result;
}

bool is_uniform(const Column& column) {
  return !column.cells.empty() &&
         std::ranges::all_of(column.cells, [&](const auto& cell) { return cell == column.cells[0]; });
}

std::string duration_of(const api::ListEntry& backup) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(backup.end - backup.start));
}

std::string percent(double part, double whole) { return fmt::format("{:.2f}%", 100 * part / whole); }

void append_ratios(std::vector<Column>& upper, const Entries& backups) {
  double size = 0;
  double uploaded = 0;
  double stored = 0;
  for (const auto& backup : backups) {
    size += static_cast<double>(backup.total_size);
    uploaded += static_cast<double>(backup.upload_size);
    stored += static_cast<double>(backup.upload_stored_size);
  }
  if (size > 0) upper.push_back({"% change", Align::left, {percent(uploaded, size)}});
  if (uploaded > 0) upper.push_back({"Comp %", Align::left, {percent(uploaded - stored, uploaded)}});
}

std::string format_storage(const api::StorageList& storage) {
  const Entries& backups = storage.backups;
  std::vector<Column> upper{{"Storage", Align::left, {snapshot::printable(storage.storage_name)}}};
  // Astacus' headers of an empty table are its keys.
  const bool empty = backups.empty();
  std::vector<Column> lower{
      column(empty ? "name" : "Name", Align::left, backups, [](const auto& backup) { return backup.name; }),
      column(empty ? "duration" : "Duration", Align::left, backups, duration_of),
      column(empty ? "files" : "Files", empty ? Align::left : Align::right, backups,
             [](const auto& backup) { return fmt::to_string(backup.files); }),
      column(empty ? "total_size" : "Size", Align::left, backups,
             [](const auto& backup) { return format_size(backup.total_size); })};
  for (auto& shared : {
           column("Plugin", Align::left, backups, [](const auto& backup) { return backup.plugin; }),
           column("Att", Align::right, backups, [](const auto& backup) { return fmt::to_string(backup.attempt); }),
           column("Nodes", Align::right, backups, [](const auto& backup) { return fmt::to_string(backup.nodes); }),
       }) {
    if (is_uniform(shared)) {
      upper.push_back({shared.header, shared.align, {shared.cells[0]}});
    } else if (!empty) {
      lower.push_back(shared);
    }
  }
  append_ratios(upper, backups);
  return format_table(upper) + "\n" + format_table(lower);
}

}  // namespace

std::string format_backups(const api::ListResponse& response) {
  std::string text;
  for (const auto& storage : response.storages) {
    if (!text.empty()) text += '\n';
    text += format_storage(storage);
  }
  return text;
}

}  // namespace cherax::cli
