#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace cherax {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found:
      return "not found";
    case ErrorKind::already_exists:
      return "already exists";
    case ErrorKind::transient:
      return "transient";
    case ErrorKind::throttled:
      return "throttled";
    case ErrorKind::denied:
      return "denied";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::cancelled:
      return "cancelled";
    case ErrorKind::internal:
      return "internal";
  }
  return "unknown";
}

void throw_exception_from_error(const Error& error, const boost::source_location&) { throw error; }

namespace {

ErrorKind kind_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::not_found;
    case EEXIST:
      return ErrorKind::already_exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::denied;
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ECONNRESET:
    case EAGAIN:
      return ErrorKind::transient;
    default:
      return ErrorKind::internal;
  }
}

}  // namespace

void fail_errno(int error_number, std::string_view what_was_tried) {
  fail(kind_of(error_number), "{}: {}", what_was_tried, std::generic_category().message(error_number));
}

Error error_from(std::exception_ptr exception) {
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const Error& error) {
    return error;
  } catch (const std::system_error& error) {
    return {kind_of(error.code().value()), error.what()};
  } catch (const std::exception& error) {
    return {ErrorKind::internal, error.what()};
  } catch (...) {
    return {ErrorKind::internal, "an exception that is no std::exception"};
  }
}

}  // namespace cherax
