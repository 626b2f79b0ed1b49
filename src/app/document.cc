#include "app/document.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/file.h"

namespace cherax::app {

namespace {

constexpr std::size_t kMaximumSize = 16 * 1024 * 1024;

/// A plain (unquoted) scalar's value: null, a truth or a whole number by YAML 1.2's core schema, if its usual spelling
/// is what was written. Everything else stays text: a password like 0123 or 1e5 must not become another one.
json::value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* const end = text.data() + text.size();
  std::int64_t integer = 0;
  const auto read = std::from_chars(text.data(), end, integer);
  if (read.ec == std::errc{} && read.ptr == end && std::to_string(integer) == text) return integer;
  return json::to_value(text);
}

/// Turns a YAML node into a value, or only notes its lines when a value is there already.
class Converter {
 public:
  explicit Converter(const std::filesystem::path& file) : file_(file) {}

  json::value convert(const YAML::Node& node) {
    if (path_.size() > 64) fail(ErrorKind::invalid, "{}: nested deeper than 64", file_.string());
    if (!node.Mark().is_null()) lines_.emplace(json::to_string(path_), node.Mark().line + 1);
    switch (node.Type()) {
      case YAML::NodeType::Sequence:
        return sequence(node);
      case YAML::NodeType::Map:
        return map(node);
      case YAML::NodeType::Scalar:
        return node.Tag() == "!" ? json::to_value(node.Scalar()) : plain_scalar(node.Scalar());
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        break;
    }
    return nullptr;
  }
  std::map<std::string, int> take_lines() { return std::move(lines_); }

 private:
  json::value sequence(const YAML::Node& node) {
    json::array elements;
    for (const auto& element : node) {
      path_.emplace_back(elements.size());
      elements.push_back(convert(element));
      path_.pop_back();
    }
    return elements;
  }
  json::value map(const YAML::Node& node) {
    json::object members;
    for (const auto& member : node) {
      const auto key = member.first.Scalar();
      path_.emplace_back(key);
      if (members.contains(key)) {
        fail(ErrorKind::invalid, "{}:{}: the key {} stands there twice", file_.string(), member.first.Mark().line + 1,
             json::to_string(path_));
      }
      lines_.emplace(json::to_string(path_), member.first.Mark().line + 1);
      members[key] = convert(member.second);
      path_.pop_back();
    }
    return members;
  }

  const std::filesystem::path& file_;
  json::Path path_;
  std::map<std::string, int> lines_;
};

int line_at(const std::string& text, std::size_t offset) {
  return 1 + static_cast<int>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size())), '\n'));
}

int line_of_second_document(const std::string& text) {
  std::istringstream lines{text};
  int number = 0;
  bool content = false;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (content && line.starts_with("---")) return number;
    content = content || !(line.empty() || line.starts_with('#') || line.starts_with('%'));
  }
  return number;
}

}  // namespace

Document Document::load(const std::filesystem::path& path) { return parse(read_text(path, kMaximumSize), path); }

Document Document::parse(const std::string& text, const std::filesystem::path& path) {
  Document document;
  document.path_ = path;
  const bool is_json = path.extension() == ".json";
  if (is_json) {
    auto parsed = json::parse_or_offset(text);
    if (const auto* broken = std::get_if<json::SyntaxError>(&parsed)) {
      fail(ErrorKind::invalid, "{}:{}: not JSON: {}", path.string(), line_at(text, broken->offset), broken->what);
    }
    document.root_ = std::get<json::value>(std::move(parsed));
  }
  // JSON is YAML but for the tabs between its tokens; inside of its strings there are none.
  std::string yaml = text;
  if (is_json) std::ranges::replace(yaml, '\t', ' ');
  Converter converter{path};
  try {
    const auto documents = YAML::LoadAll(yaml);
    if (documents.size() > 1) {
      fail(ErrorKind::invalid, "{}:{}: a second document begins here", path.string(), line_of_second_document(text));
    }
    json::value root = converter.convert(documents.empty() ? YAML::Node{} : documents.front());
    if (!is_json) document.root_ = std::move(root);
    document.lines_ = converter.take_lines();
  } catch (const YAML::Exception& error) {
    // JSON that YAML does not take has no line numbers, and is fine otherwise.
    if (!is_json) fail(ErrorKind::invalid, "{}:{}: not YAML: {}", path.string(), error.mark.line + 1, error.msg);
  }
  return document;
}

std::string Document::where(const json::Path& path) const {
  // What is missing has no line of its own: the nearest thing around it that has one.
  for (json::Path at = path;; at.pop_back()) {
    if (const auto found = lines_.find(json::to_string(at)); found != lines_.end()) {
      return fmt::format("{}:{}", path_.string(), found->second);
    }
    if (at.empty()) return path_.string();
  }
}

Error Document::error(const std::vector<json::Problem>& problems) const {
  std::string text;
  for (const auto& problem : problems) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", where(problem.path), json::to_string(problem));
  }
  return {ErrorKind::invalid, text};
}

}  // namespace cherax::app
