#include "cli/manifest_printer.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace cherax::cli {

namespace {

using boost::json::error_code;

/// The handler that boost's parser calls for each piece of the document.
class Printer {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::size_t{64} * 1024;
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  Printer(const ManifestStyle& style, std::ostream& out) : style_(style), out_(out) {}

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) {
    out_ << '\n';
    return true;
  }
  bool on_object_begin(error_code&) { return open('{', {.is_array = false}); }
  bool on_object_end(std::size_t, error_code&) { return close('}'); }
  bool on_array_begin(error_code&) { return open('[', {.is_array = true, .counted = is_left_out()}); }
  bool on_array_end(std::size_t, error_code&) { return close(']'); }

  bool on_key_part(std::string_view part, std::size_t, error_code&) {
    key_ += part;
    return true;
  }
  bool on_key(std::string_view part, std::size_t, error_code&) {
    key_ += part;
    if (!hidden()) {
      separate();
      out_ << '"';
      print_escaped(key_);
      out_ << "\": ";
    }
    levels_.back().key = std::move(key_);
    key_.clear();
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, error_code&) {
    if (!std::exchange(in_string_, true)) begin_value("\"");
    if (!hidden()) print_escaped(part);
    return true;
  }
  bool on_string(std::string_view part, std::size_t size, error_code& error) {
    on_string_part(part, size, error);
    in_string_ = false;
    return end_value("\"");
  }
  bool on_number_part(std::string_view part, error_code&) {
    number_ += part;
    return true;
  }
  bool on_int64(std::int64_t, std::string_view part, error_code&) { return number(part); }
  bool on_uint64(std::uint64_t, std::string_view part, error_code&) { return number(part); }
  bool on_double(double, std::string_view part, error_code&) { return number(part); }
  bool on_bool(bool truth, error_code&) { return scalar(truth ? "true" : "false"); }
  bool on_null(error_code&) { return scalar("null"); }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  struct Level {
    bool is_array;
    bool counted = false;   // its elements are not printed
    std::string key{};      // of the member under way, in an object
    std::size_t count = 0;  // of elements or members so far
  };

  /// Whether what comes now is inside of a list that is not printed.
  bool hidden() const { return hidden_from_ != 0; }

  /// Whether the array that begins now is a list of the manifest that is not wanted.
  bool is_left_out() const {
    const auto is = [&](std::initializer_list<std::string_view> path) {
      if (levels_.size() != path.size()) return false;
      auto level = levels_.begin();
      for (const auto step : path) {
        if (step == "*" ? !level->is_array : level->key != step) return false;
        ++level;
      }
      return true;
    };
    return (!style_.files && is({"snapshot_results", "*", "state", "files"})) ||
           (!style_.hashes && is({"snapshot_results", "*", "hashes"}));
  }

  /// Before an element or a key.
  void separate() {
    if (levels_.empty()) return;
    if (levels_.back().count++ > 0) out_ << ',';
    break_line(levels_.size());
  }
  void break_line(std::size_t depth) { out_ << '\n' << std::string(depth * style_.indent, ' '); }

  void begin_value(std::string_view text) {
    if (!hidden()) {
      if (!levels_.empty() && levels_.back().is_array) separate();
      out_ << text;
    } else if (levels_.size() == hidden_from_) {
      ++levels_.back().count;
    }
  }
  bool end_value(std::string_view text) {
    if (!hidden()) out_ << text;
    return true;
  }
  bool scalar(std::string_view text) {
    begin_value(text);
    return true;
  }
  bool number(std::string_view part) {
    number_ += part;
    scalar(number_);
    number_.clear();
    return true;
  }

  bool open(char bracket, Level level) {
    const bool starts_hiding = level.counted && !hidden();
    begin_value(starts_hiding ? std::string_view{} : std::string_view{&bracket, 1});
    levels_.push_back(std::move(level));
    if (starts_hiding) hidden_from_ = levels_.size();
    return true;
  }
  bool close(char bracket) {
    const auto count = levels_.back().count;
    const bool ends_hiding = hidden_from_ == levels_.size();
    levels_.pop_back();
    if (ends_hiding) {
      hidden_from_ = 0;
      out_ << fmt::format("\"<redacted, has {} entries>\"", count);
    } else if (!hidden()) {
      if (count > 0) break_line(levels_.size());
      out_ << bracket;
    }
    return true;
  }

  void print_escaped(std::string_view text) {
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out_ << '\\' << c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        out_ << fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out_ << c;
      }
    }
  }

  const ManifestStyle style_;
  std::ostream& out_;
  std::vector<Level> levels_;
  std::size_t hidden_from_ = 0;  // the number of levels down to the list that is not printed; 0: none
  std::string key_;
  std::string number_;
  bool in_string_ = false;
};

}  // namespace

void print_manifest(Source& text, const ManifestStyle& style, std::ostream& out) {
  boost::json::basic_parser<Printer> parser{boost::json::parse_options{.max_depth = 64}, style, out};
  Bytes buffer(kStreamBuffer);
  error_code error;
  std::uint64_t offset = 0;
  const auto write = [&](std::string_view part) {
    const auto read = parser.write_some(!part.empty(), part.data(), part.size(), error);
    if (!error && part.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
      error = boost::json::error::extra_data;
    }
    if (error) fail(ErrorKind::corrupt, "broken JSON at offset {}: {}", offset + read, error.message());
    offset += part.size();
  };
  while (const std::size_t size = text.read(buffer)) {
    write(as_text(ByteView{buffer}.first(size)));
    if (!out) return;
  }
  write({});
}

}  // namespace cherax::cli
