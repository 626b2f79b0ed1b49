#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "http/message.h"

/// Typed requests and answers in Astacus' shapes, for handlers.
namespace cherax::http {

/// Thrown by what reads a request; the handler's caller sends the response as it is.
struct ResponseError {
  Response response;
};

/// `{"detail": detail}` with that status.
[[noreturn]] void refuse(int status, json::value detail);

/// 422: one entry a problem, as pydantic words them. `where` is "body" or "query".
Response unprocessable(std::string_view where, const std::vector<json::Problem>& problems);

/// The body's JSON value. No body, and `null`, is an empty object. ResponseError 422 when it is broken JSON. What has
/// another Content-Type than JSON is passed on as text: as any body that is no object, it has no members.
json::value body_value(const Request& request, std::size_t limit = kBodyInMemory);
/// 422, one json_invalid entry.
[[noreturn]] void refuse_broken_json(std::size_t offset, const std::string& what);
bool is_json(const Request& request);
/// The query's parameters as an object of texts.
json::value query_value(const Request& request);

/// 422 with every problem; what is no object lacks each member, also those that may be left out.
template <class T>
T read_request(const json::value& in, std::string_view where) {
  json::Reader reader{{.coerce = true}};
  T out{};
  if (!in.is_object()) {
    boost::mp11::mp_for_each<json::detail::Members<T>>([&](auto member) {
      reader.at(std::string{json::detail::key_of(member.name)}, [&] {
        return reader.add_problem(json::Problem::Kind::missing, json::Problem::Type::other, "a value");
      });
    });
    throw ResponseError{unprocessable(where, reader.problems())};
  }
  if (!reader.read(in, out)) throw ResponseError{unprocessable(where, reader.problems())};
  return out;
}
template <class T>
T read_body(const Request& request) {
  return read_request<T>(body_value(request), "body");
}
template <class T>
T read_query(const Request& request) {
  return read_request<T>(query_value(request), "query");
}

/// The path's parameters as an object of texts.
json::value path_value(const Request& request);
/// A whole number from the path; ResponseError 422 when it is none.
std::int64_t path_integer(const Request& request, std::string_view name);
/// The detail of a 404 for an operation id that is not known (any more).
json::value unknown_operation(std::int64_t id);

template <class T>
Response json_response(const T& value, int status = 200) {
  return Response::json(json::to_text(value), status);
}

/// The handler with ResponseError turned into its response.
template <class Work>
auto answering(Work work) {
  return [work = std::move(work)](const Request& request) -> Response {
    try {
      return work(request);
    } catch (const ResponseError& error) {
      return error.response;
    }
  };
}

}  // namespace cherax::http
