#include "cassandra/configuration_edit.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace cherax::cassandra {

namespace {

struct TopLevelKey {
  std::string name;
  std::size_t line = 0;
  std::size_t column = 0;
};

/// Notes where each key of the outermost map stands.
class KeyFinder final : public YAML::EventHandler {
 public:
  std::vector<TopLevelKey> keys;
  std::optional<Error> problem;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { item(mark, "null", true); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { item(mark, "*", false); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string& value) override {
    item(mark, value, true);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    if (depth_ == 0) refuse(mark, "a list");
    item(mark, "", false);
    ++depth_;
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value style) override {
    if (depth_ == 0 && style == YAML::EmitterStyle::Flow) refuse(mark, "a map in braces");
    if (depth_ > 0) item(mark, "", false);
    ++depth_;
  }
  void OnMapEnd() override { --depth_; }

 private:
  /// Of the outermost map, keys and values come in turn.
  void item(const YAML::Mark& mark, const std::string& text, bool may_be_key) {
    if (depth_ == 0) return refuse(mark, "a single value");
    if (depth_ > 1) return;
    is_key_ = !is_key_;
    if (!is_key_) return;
    if (!may_be_key) return refuse(mark, "a key that is not text");
    keys.push_back({text, static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column)});
  }

  void refuse(const YAML::Mark& mark, std::string_view what) {
    if (!problem)
      problem = make_error(ErrorKind::invalid, "line {}: cannot be edited: {} at the top level", mark.line + 1, what);
  }

  int depth_ = 0;
  bool is_key_ = false;
};

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

/// YAML ends a document at such a line wherever it stands, even inside a quoted or block scalar.
bool is_marker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) && (line.size() == marker.size() ||
                                      std::string_view{" \t\r\n"}.find(line[marker.size()]) != std::string_view::npos);
}

bool is_blank_or_comment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || line[first] == '#';
}

std::string quoted(std::string_view text) {
  std::string out{'"'};
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out += '"';
}

std::string text_of(const Change& change) {
  const auto value = std::visit(
      [](const auto& value) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
          return quoted(value);
        else
          return fmt::format("{}", value);
      },
      change.value);
  return fmt::format("{}: {}", change.key, value);
}

/// Not deeper than any real file, since an alias can make a node contain itself.
bool same_node(const YAML::Node& one, const YAML::Node& other, int depth = 0) {
  constexpr int kMaxDepth = 32;
  if (depth > kMaxDepth || one.Type() != other.Type() || one.size() != other.size()) return false;
  if (one.IsScalar()) return one.Scalar() == other.Scalar() && one.Tag() == other.Tag();
  auto theirs = other.begin();
  for (const auto& ours : one) {
    const bool same = one.IsMap() ? same_node(ours.first, theirs->first, depth + 1) &&
                                        same_node(ours.second, theirs->second, depth + 1)
                                  : same_node(ours, *theirs, depth + 1);
    if (!same) return false;
    ++theirs;
  }
  return true;
}

/// The map that the edited text must read as: the old one without the changed keys, then ours.
YAML::Node wanted(const YAML::Node& old, const std::vector<Change>& changes) {
  YAML::Node map{YAML::NodeType::Map};
  for (const auto& entry : old) {
    if (std::ranges::find(changes, entry.first.Scalar(), &Change::key) == changes.end())
      map.force_insert(entry.first, entry.second);
  }
  for (const Change& change : changes) {
    const YAML::Node line = YAML::Load(text_of(change));
    map.force_insert(line.begin()->first, line.begin()->second);
  }
  return map;
}

/// Line numbers: where the document's content ends, and which lines a key takes.
struct Layout {
  std::vector<std::string_view> lines;
  std::vector<TopLevelKey> keys;
  std::size_t end = 0;  ///< the line of `...`, or one past the last
};

Result<Layout> read_layout(std::string_view yaml) {
  std::istringstream stream{std::string{yaml}};
  YAML::Parser parser{stream};
  KeyFinder finder;
  Layout layout{split_lines(yaml), {}, 0};
  layout.end = layout.lines.size();
  const bool has_document = parser.HandleNextDocument(finder);
  if (finder.problem) return *finder.problem;
  if (!has_document || finder.keys.empty()) return make_error(ErrorKind::invalid, "there are no keys to edit");
  layout.keys = std::move(finder.keys);

  for (const TopLevelKey& key : layout.keys) {
    // An anchor, a tag or `?` before the key would be left behind.
    if (key.column != layout.keys.front().column)
      return make_error(ErrorKind::invalid, "line {}: cannot be edited: key {} is not at the start of its line",
                        key.line + 1, key.name);
  }
  for (std::size_t i = layout.keys.front().line + 1; i < layout.lines.size(); ++i) {
    if (is_marker(layout.lines[i], "---"))
      return make_error(ErrorKind::invalid, "line {}: cannot be edited: a second document", i + 1);
    if (is_marker(layout.lines[i], "...")) layout.end = std::min(layout.end, i);
  }
  return layout;
}

std::string edited_text(const Layout& layout, const std::vector<Change>& changes) {
  std::vector<bool> is_commented(layout.lines.size());
  for (std::size_t k = 0; k < layout.keys.size(); ++k) {
    if (std::ranges::find(changes, layout.keys[k].name, &Change::key) == changes.end()) continue;
    const std::size_t next = k + 1 < layout.keys.size() ? layout.keys[k + 1].line : layout.end;
    for (std::size_t i = layout.keys[k].line; i < next; ++i) is_commented[i] = !is_blank_or_comment(layout.lines[i]);
  }
  std::string text;
  for (std::size_t i = 0; i < layout.end; ++i) {
    if (is_commented[i]) text += '#';
    text += layout.lines[i];
  }
  if (!text.empty() && text.back() != '\n') text += '\n';
  const std::string indent(layout.keys.front().column, ' ');
  text += indent + "# Set by Cherax; the lines above that they replace are commented out.\n";
  for (const Change& change : changes) text += indent + text_of(change) + '\n';
  for (std::size_t i = layout.end; i < layout.lines.size(); ++i) text += layout.lines[i];
  return text;
}

}  // namespace

Result<std::string> edit(std::string_view yaml, const std::vector<Change>& changes) {
  try {
    const auto layout = read_layout(yaml);
    if (!layout) return layout.error();
    std::string text = edited_text(*layout, changes);
    if (!same_node(YAML::Load(text), wanted(YAML::Load(std::string{yaml}), changes))) {
      return make_error(ErrorKind::invalid,
                        "cannot be edited: with the keys replaced the file would not read as intended");
    }
    return text;
  } catch (const YAML::Exception& error) {
    return make_error(ErrorKind::invalid, "line {}: {}", error.mark.line + 1, error.msg);
  }
}

}  // namespace cherax::cassandra
