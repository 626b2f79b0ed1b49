#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/stream.h"

/// JSON documents that do not fit in memory: manifests, snapshot results, upload requests.
namespace cherax::json {

/// The array indices passed on the way to an element: of `snapshot_results[2].state.files[17]`, {2, 17}.
using Indices = std::vector<std::size_t>;
using OnElement = std::function<void(const Indices&, const value&)>;

struct StreamLimits {
  std::size_t element = 1024 * 1024;    ///< bytes of text of one streamed element
  std::size_t rest = 64 * 1024 * 1024;  ///< bytes of text of everything that is not a streamed element
};

/// Broken text, and where.
class BrokenJson : public Error {
 public:
  BrokenJson(std::uint64_t offset, const std::string& what)
      : Error(ErrorKind::invalid, fmt::format("broken JSON at offset {}: {}", offset, what)), syntax{offset, what} {}
  SyntaxError syntax;
};

/// Parses a document of any size. `streamed` names arrays by their path, with `*` for any index or member
/// ("snapshot_results.*.state.files"): each of their elements is passed to its function, in order, and not kept.
/// Returns the document without those elements: such an array is there, but empty.
/// BrokenJson (also for nesting over 64), Error{invalid} for a limit; what an OnElement throws ends the
/// parsing and leaves it as it is.
value parse_stream(Source& source, const std::map<std::string, OnElement>& streamed, const StreamLimits& limits = {});

/// Writes a document piece by piece. The caller keeps to the grammar: key before value in an object.
class StreamWriter {
 public:
  explicit StreamWriter(Sink& sink) : sink_(sink) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);
  void write(const value& element);
  template <class T>
    requires(!std::same_as<T, value>)
  void write(const T& element) {
    write(to_value(element));
  }
  template <class T>
  void member(std::string_view name, const T& element) {
    key(name);
    write(element);
  }
  /// A value that is JSON text already: copied as it is, unchecked.
  void raw(Source& text);
  /// Passes on what is buffered; does not finish the sink.
  void flush();

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();
  void append(std::string_view text);

  Sink& sink_;
  std::string buffer_;
  bool needs_comma_ = false;
};

}  // namespace cherax::json
