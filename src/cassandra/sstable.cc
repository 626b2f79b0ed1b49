#include "cassandra/sstable.h"

#include <fmt/format.h>

#include <algorithm>

namespace cherax::cassandra {

namespace {

constexpr std::size_t kIdDigits = 32;

bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/// `3h5r_1s58_5pz4g2kj98p3y258wu`: 4, 4 and 18 base-36 digits.
bool is_time_id(std::string_view id) {
  if (id.size() != 28) return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const bool good = i == 4 || i == 9 ? id[i] == '_' : is_digit(id[i]) || is_lower(id[i]);
    if (!good) return false;
  }
  return true;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<TableDirectory> parse_table_directory(std::string_view name) {
  if (name.size() < kIdDigits + 2 || name[name.size() - kIdDigits - 1] != '-') return std::nullopt;
  const std::string_view id = name.substr(name.size() - kIdDigits);
  if (!std::ranges::all_of(id, is_lower_hex)) return std::nullopt;
  return TableDirectory{std::string{name.substr(0, name.size() - kIdDigits - 1)}, std::string{id}};
}

TableDirectory table_directory(std::string_view table, std::string_view id) {
  std::string digits{id};
  std::erase(digits, '-');
  return {std::string{table}, digits};
}

std::optional<SSTableFile> parse_sstable_file(std::string_view name) {
  const auto parts = split(name, '-');
  if (parts.size() < 4) return std::nullopt;
  const bool good_version = parts[0].size() == 2 && std::ranges::all_of(parts[0], is_lower);
  const bool good_id = !parts[1].empty() && (std::ranges::all_of(parts[1], is_digit) || is_time_id(parts[1]));
  const bool good_format = parts[2] == "big" || parts[2] == "bti";
  const std::string_view component{parts[3].data(),
                                   static_cast<std::size_t>(name.data() + name.size() - parts[3].data())};
  if (!good_version || !good_id || !good_format || component.empty() || component.find('/') != std::string_view::npos)
    return std::nullopt;
  return SSTableFile{std::string{parts[0]}, std::string{parts[1]}, std::string{parts[2]}, std::string{component}};
}

std::optional<SaiComponent> parse_sai_component(std::string_view component) {
  const auto parts = split(component, '+');
  if (parts.size() < 3 || parts.size() > 4 || parts[0] != "SAI" || std::ranges::any_of(parts, &std::string_view::empty))
    return std::nullopt;
  return SaiComponent{std::string{parts[1]}, parts.size() == 4 ? std::string{parts[2]} : "", std::string{parts.back()}};
}

std::optional<DataPath> parse_data_path(std::string_view path) {
  auto parts = split(path, '/');
  if (parts.size() < 3) return std::nullopt;
  if (std::ranges::any_of(parts, [](std::string_view part) { return part.empty() || part == "." || part == ".."; }))
    return std::nullopt;
  const auto table = parse_table_directory(parts[1]);
  if (!table) return std::nullopt;
  DataPath result{std::string{parts[0]}, *table, DataPath::Place::live, "", "", std::string{parts.back()}};

  std::size_t next = 2;
  const std::size_t file = parts.size() - 1;
  if (parts[next] == "snapshots" && next + 1 < file) {
    result.place = DataPath::Place::snapshot;
    result.tag = parts[next + 1];
    next += 2;
  } else if (parts[next] == "backups" && next < file) {
    result.place = DataPath::Place::backups;
    ++next;
  }
  if (next < file && parts[next].starts_with('.')) result.index = parts[next++].substr(1);
  if (next != file) return std::nullopt;
  return result;
}

std::vector<std::string> snapshot_globs(std::string_view tag) {
  std::vector<std::string> globs;
  for (std::string_view directory : {"", ".*/"}) {
    for (std::string_view pattern : {"*.db", "*.txt", "*.crc32"}) {
      globs.push_back(fmt::format("data/*/*/snapshots/{}/{}{}", tag, directory, pattern));
    }
  }
  return globs;
}

}  // namespace cherax::cassandra
