#include "base/json_stream.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <optional>

namespace cherax::json {

namespace {

using boost::json::error_code;

/// A value_stack that knows when its one value is complete.
class Builder {
 public:
  Builder() { stack_.reset(); }

  void open() { sizes_.push_back(0); }
  void push_array() { stack_.push_array(take_size()); }
  void push_object() { stack_.push_object(take_size()); }
  void push_key(std::string_view name) { stack_.push_key(name); }
  template <class... Args>
  void push(Args&&... args) {
    count();
    if constexpr (sizeof...(Args) == 0) {
      stack_.push_null();
    } else {
      push_one(std::forward<Args>(args)...);
    }
  }
  bool complete() const { return sizes_.empty(); }
  value release() {
    value result = stack_.release();
    stack_.reset();
    return result;
  }

 private:
  void push_one(std::string_view text) { stack_.push_string(text); }
  void push_one(std::int64_t number) { stack_.push_int64(number); }
  void push_one(std::uint64_t number) { stack_.push_uint64(number); }
  void push_one(double number) { stack_.push_double(number); }
  void push_one(bool truth) { stack_.push_bool(truth); }

  std::size_t take_size() {
    const std::size_t size = sizes_.back();
    sizes_.pop_back();
    count();
    return size;
  }
  void count() {
    if (!sizes_.empty()) ++sizes_.back();
  }

  boost::json::value_stack stack_;
  std::vector<std::size_t> sizes_;  // of the open arrays and objects
};

std::vector<std::string> split_path(std::string_view text) {
  std::vector<std::string> steps;
  while (true) {
    const auto dot = text.find('.');
    steps.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return steps;
    text.remove_prefix(dot + 1);
  }
}

/// The handler that boost's parser calls for each piece of the document.
class Splitter {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 64 * 1024;
  static constexpr std::size_t max_string_size = 64 * 1024 * 1024;

  Splitter(const std::map<std::string, OnElement>& streamed, const StreamLimits& limits) : limits_(limits) {
    for (const auto& [path, on_element] : streamed) targets_.push_back({split_path(path), on_element});
  }

  value release() { return rest_.release(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open({.is_array = false}); }
  bool on_object_end(std::size_t, error_code&) {
    path_.pop_back();
    builder().push_object();
    return value_ended();
  }
  bool on_array_begin(error_code&) {
    const OnElement* target = element_ ? nullptr : target_here();
    open({.is_array = true, .target = target});
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    path_.pop_back();
    builder().push_array();
    return value_ended();
  }
  bool on_key_part(std::string_view part, std::size_t, error_code&) { return collect(part); }
  bool on_key(std::string_view part, std::size_t, error_code&) {
    collect(part);
    builder().push_key(text_);
    path_.back().key = std::move(text_);
    text_.clear();
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, error_code&) { return collect(part); }
  bool on_string(std::string_view part, std::size_t, error_code&) {
    collect(part);
    return scalar([&](Builder& builder) {
      builder.push(std::string_view{text_});
      text_.clear();
    });
  }
  bool on_number_part(std::string_view part, error_code&) { return charge(part.size()); }
  bool on_int64(std::int64_t number, std::string_view part, error_code&) { return scalar(number, part.size()); }
  bool on_uint64(std::uint64_t number, std::string_view part, error_code&) { return scalar(number, part.size()); }
  bool on_double(double number, std::string_view part, error_code&) { return scalar(number, part.size()); }
  bool on_bool(bool truth, error_code&) { return scalar(truth, 5); }
  bool on_null(error_code&) {
    return scalar([](Builder& builder) { builder.push(); });
  }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  struct Level {
    bool is_array;
    const OnElement* target = nullptr;  // set on a streamed array
    std::string key{};                  // of the member under way, in an object
    std::size_t index = 0;              // of the element under way, in an array
  };
  struct Target {
    std::vector<std::string> steps;
    OnElement on_element;
  };

  bool in_streamed_array() const { return !path_.empty() && path_.back().target; }
  Builder& builder() { return element_ ? *element_ : rest_; }

  void value_begins() {
    if (!element_ && in_streamed_array()) element_.emplace();
    charge(1);
  }
  bool value_ended() {
    if (element_ && in_streamed_array()) {
      const value element = element_->release();
      element_.reset();
      element_size_ = 0;
      (*path_.back().target)(indices(), element);
    }
    if (!path_.empty() && path_.back().is_array) ++path_.back().index;
    return true;
  }
  bool open(Level level) {
    value_begins();
    builder().open();
    path_.push_back(std::move(level));
    return true;
  }
  template <class Push>
    requires std::invocable<Push, Builder&>
  bool scalar(Push push) {
    value_begins();
    push(builder());
    return value_ended();
  }
  template <class Number>
  bool scalar(Number number, std::size_t text_size) {
    value_begins();
    charge(text_size);
    builder().push(number);
    return value_ended();
  }

  bool collect(std::string_view part) {
    text_.append(part);
    return charge(part.size() + 1);
  }
  bool charge(std::size_t size) {
    const bool of_element = element_ || in_streamed_array();  // parts of a token come before its value begins
    std::size_t& used = of_element ? element_size_ : rest_size_;
    const std::size_t limit = of_element ? limits_.element : limits_.rest;
    used += size;
    if (used > limit) {
      fail(ErrorKind::invalid, "the JSON document has {} over {} bytes",
           of_element ? "an element of" : "fixed parts of", limit);
    }
    return true;
  }

  Indices indices() const {
    Indices indices;
    for (const Level& level : path_) {
      if (level.is_array) indices.push_back(level.index);
    }
    return indices;
  }
  /// The target whose path is where an array begins now.
  const OnElement* target_here() const {
    for (const Target& target : targets_) {
      if (target.steps.size() != path_.size()) continue;
      bool same = true;
      for (std::size_t i = 0; same && i < path_.size(); ++i) {
        same = target.steps[i] == "*" || (!path_[i].is_array && path_[i].key == target.steps[i]);
      }
      if (same) return &target.on_element;
    }
    return nullptr;
  }

  StreamLimits limits_;
  std::vector<Target> targets_;
  std::vector<Level> path_;
  Builder rest_;
  std::optional<Builder> element_;
  std::size_t rest_size_ = 0;
  std::size_t element_size_ = 0;
  std::string text_;
};

}  // namespace

value parse_stream(Source& source, const std::map<std::string, OnElement>& streamed, const StreamLimits& limits) {
  boost::json::basic_parser<Splitter> parser{boost::json::parse_options{.max_depth = 64}, streamed, limits};
  Bytes buffer(kStreamBuffer);
  std::uint64_t offset = 0;
  error_code error;
  while (const std::size_t size = source.read(buffer)) {
    const auto text = as_text(ByteView{buffer}.first(size));
    const std::size_t read = parser.write_some(true, text.data(), text.size(), error);
    if (!error && read < size && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
      error = boost::json::error::extra_data;
    }
    if (error) throw BrokenJson{offset + read, error.message()};
    offset += size;
  }
  parser.write_some(false, nullptr, 0, error);
  if (error) throw BrokenJson{offset, error.message()};
  return parser.handler().release();
}

void StreamWriter::key(std::string_view name) {
  separate();
  append(boost::json::serialize(boost::json::string_view{name.data(), name.size()}));
  append(":");
  needs_comma_ = false;
}

void StreamWriter::write(const value& element) {
  separate();
  append(boost::json::serialize(element));
  needs_comma_ = true;
}

void StreamWriter::raw(Source& text) {
  separate();
  flush();
  Bytes buffer(kStreamBuffer);
  while (const std::size_t size = text.read(buffer)) sink_.write(ByteView{buffer}.first(size));
  needs_comma_ = true;
}

void StreamWriter::flush() {
  sink_.write(as_bytes(buffer_));
  buffer_.clear();
}

void StreamWriter::open(char bracket) {
  separate();
  append({&bracket, 1});
  needs_comma_ = false;
}

void StreamWriter::close(char bracket) {
  append({&bracket, 1});
  needs_comma_ = true;
}

void StreamWriter::separate() {
  if (needs_comma_) append(",");
}

void StreamWriter::append(std::string_view text) {
  buffer_.append(text);
  if (buffer_.size() >= kStreamBuffer) flush();
}

}  // namespace cherax::json
