#include "http/json_body.h"

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/trim.hpp>

namespace cherax::http {

namespace {

struct Words {
  std::string message;
  std::string type;
};

/// pydantic's words for what is wrong, which clients may match.
Words words_of(const json::Problem& problem) {
  using Type = json::Problem::Type;
  if (problem.kind == json::Problem::Kind::missing) return {"field required", "value_error.missing"};
  switch (problem.type) {
    case Type::integer:
      return {"value is not a valid integer", "type_error.integer"};
    case Type::number:
      return {"value is not a valid float", "type_error.float"};
    case Type::text:
      return {"str type expected", "type_error.str"};
    case Type::boolean:
      return {"value could not be parsed to a boolean", "type_error.bool"};
    case Type::list:
      return {"value is not a valid sequence", "type_error.sequence"};
    case Type::object:
      return {"value is not a valid dict", "type_error.dict"};
    case Type::enumeration:
      return {
          fmt::format("value is not a valid enumeration member; permitted: '{}'", fmt::join(problem.permitted, "', '")),
          "type_error.enum"};
    case Type::other:
      break;
  }
  return {fmt::format("expected {}", problem.expected), "value_error"};
}

json::array location(std::string_view where, const json::Path& path) {
  json::array location{json::value(where)};
  for (const auto& step : path) {
    std::visit([&](const auto& part) { location.push_back(json::to_value(part)); }, step);
  }
  return location;
}

}  // namespace

void refuse(int status, json::value detail) {
  throw ResponseError{Response::json(json::to_text(json::object{{"detail", std::move(detail)}}), status)};
}

Response unprocessable(std::string_view where, const std::vector<json::Problem>& problems) {
  json::array detail;
  for (const json::Problem& problem : problems) {
    Words words = words_of(problem);
    json::object entry{{"loc", location(where, problem.path)}, {"msg", words.message}, {"type", words.type}};
    if (!problem.permitted.empty()) entry["ctx"] = json::object{{"enum_values", json::to_value(problem.permitted)}};
    detail.push_back(std::move(entry));
  }
  return Response::json(json::to_text(json::object{{"detail", std::move(detail)}}), 422);
}

bool is_json(const Request& request) {
  const std::string* type = request.headers.find("Content-Type");
  if (!type) return true;
  const auto essence = boost::to_lower_copy(boost::trim_copy(type->substr(0, type->find(';'))));
  return essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
}

void refuse_broken_json(std::size_t offset, const std::string& what) {
  refuse(422, json::array{json::object{{"loc", json::array{"body", offset}},
                                       {"msg", "JSON decode error"},
                                       {"type", "json_invalid"},
                                       {"input", json::object{}},
                                       {"ctx", json::object{{"error", what}}}}});
}

json::value body_value(const Request& request, std::size_t limit) {
  if (request.body.empty()) return json::object{};
  if (!is_json(request)) return json::value(request.body.text(limit));
  auto parsed = json::parse_or_offset(request.body.text(limit));
  if (const auto* broken = std::get_if<json::SyntaxError>(&parsed)) refuse_broken_json(broken->offset, broken->what);
  auto& value = std::get<json::value>(parsed);
  if (value.is_null()) return json::object{};
  return std::move(value);
}

namespace {

json::value texts(const Parameters& parameters) {
  json::object members;
  for (const auto& [name, value] : parameters) members[name] = json::to_value(value);
  return members;
}

}  // namespace

json::value query_value(const Request& request) { return texts(request.query); }
json::value path_value(const Request& request) { return texts(request.path_parameters); }

std::int64_t path_integer(const Request& request, std::string_view name) {
  const std::string* text = find(request.path_parameters, name);
  json::Reader reader{{.coerce = true}};
  std::int64_t number = 0;
  const bool good = reader.at(std::string{name}, [&] { return reader.read(json::value(text ? *text : ""), number); });
  if (!good) throw ResponseError{unprocessable("path", reader.problems())};
  return number;
}

json::value unknown_operation(std::int64_t id) {
  return json::object{{"code", "operation_id_mismatch"}, {"op", id}, {"message", "Unknown operation id"}};
}

}  // namespace cherax::http
