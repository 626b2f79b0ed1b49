#pragma once

#include <fmt/format.h>

#include <boost/system/result.hpp>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace cherax {

/// What a caller may do about a failure. A driver classifies once, at the edge; only the retry layer, the HTTP status
/// and the exit code of the command line look at the kind again.
enum class ErrorKind {
  not_found,       ///< the named thing does not exist
  already_exists,  ///< a write-once name is taken
  transient,       ///< may succeed when repeated: a lost connection, a busy server
  throttled,       ///< the other side asked to slow down
  denied,          ///< credentials, permissions, access level
  corrupt,         ///< bytes are not what their digest, HMAC or format says
  invalid,         ///< the request or the configuration cannot be right
  cancelled,       ///< somebody asked to stop, or a deadline of the whole operation passed
  internal,        ///< everything else
};

std::string_view to_string(ErrorKind kind);

/// The one exception type. The message says what was tried, on what, what came back, and what the reader can do.
class Error : public std::exception {
 public:
  Error() : Error(ErrorKind::internal, "no error") {}  // boost::system::result wants one
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const char* what() const noexcept override { return message_.c_str(); }

  /// The same error as seen one layer up: "uploading data/ab12…: connection refused".
  Error in_context(std::string_view context) const { return {kind_, fmt::format("{}: {}", context, message_)}; }

 private:
  ErrorKind kind_;
  std::string message_;
};

/// What a parser of untrusted bytes returns. `value()` throws the Error.
template <class T>
using Result = boost::system::result<T, Error>;

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error{kind, fmt::format(format, std::forward<Args>(args)...)};
}

template <class... Args>
Error make_error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return Error{kind, fmt::format(format, std::forward<Args>(args)...)};
}

/// An Error{not_found, denied or internal} for `errno` after a system call, its message ending in strerror's words.
[[noreturn]] void fail_errno(int error_number, std::string_view what_was_tried);

/// Runs `work`; an Error that leaves it gets `context` in front, once.
template <class Work>
decltype(auto) in_context(std::string_view context, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw error.in_context(context);
  }
}

/// Any exception as an Error: what is not one becomes `internal`. For the outermost frame of a thread or request.
Error error_from(std::exception_ptr exception);

}  // namespace cherax
