#include "base/json.h"

#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

namespace cherax::json {

std::string to_string(const Path& path) {
  if (path.empty()) return "document";
  std::string text;
  for (const auto& step : path) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      text += fmt::format("[{}]", *index);
    } else {
      if (!text.empty()) text += '.';
      text += std::get<std::string>(step);
    }
  }
  return text;
}

std::string to_string(const Problem& problem) {
  switch (problem.kind) {
    case Problem::Kind::missing:
      return fmt::format("{}: required, but missing", to_string(problem.path));
    case Problem::Kind::unknown:
      return fmt::format("{}: unknown key; expected {}", to_string(problem.path), problem.expected);
    case Problem::Kind::wrong_type:
    case Problem::Kind::invalid_value:
      break;
  }
  return fmt::format("{}: expected {}", to_string(problem.path), problem.expected);
}

Error problems_error(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += "; ";
    text += to_string(problem);
  }
  return {ErrorKind::invalid, text};
}

namespace {

/// The kind of a value, never the value itself: it may be a secret.
std::string_view name_of(const value& found) {
  switch (found.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "true or false";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return "a number";
    case boost::json::kind::string:
      return "text";
    case boost::json::kind::array:
      return "a list";
    case boost::json::kind::object:
      return "an object";
  }
  return "something else";
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

bool Reader::add_problem(Problem::Kind kind, Problem::Type type, std::string expected, const value* found,
                         std::vector<std::string> permitted) {
  if (found) expected += fmt::format(", found {}", name_of(*found));
  problems_.push_back({path_, kind, type, std::move(expected), std::move(permitted)});
  return false;
}

bool Reader::read_bool(const value& in, bool& out) {
  if (in.is_bool()) {
    out = in.get_bool();
    return true;
  }
  return add_problem(Problem::Kind::wrong_type, Problem::Type::boolean, "true or false", &in);
}

bool Reader::read_integer(const value& in, std::int64_t low, std::uint64_t high, std::int64_t& out_signed,
                          std::uint64_t& out_unsigned) {
  std::optional<std::int64_t> as_signed;
  std::optional<std::uint64_t> as_unsigned;
  if (in.is_int64()) as_signed = in.get_int64();
  if (in.is_uint64()) as_unsigned = in.get_uint64();
  if (in.is_string() && options_.coerce) {
    as_signed = parse_number<std::int64_t>(in.get_string());
    if (!as_signed) as_unsigned = parse_number<std::uint64_t>(in.get_string());
  }
  if (as_signed && *as_signed >= 0) as_unsigned = static_cast<std::uint64_t>(*as_signed);
  if (!as_signed && !as_unsigned)
    return add_problem(Problem::Kind::wrong_type, Problem::Type::integer, "a whole number", &in);
  const bool too_low = as_signed && *as_signed < low;
  const bool too_high = as_unsigned && *as_unsigned > high;
  if (too_low || too_high) {
    return add_problem(Problem::Kind::invalid_value, Problem::Type::integer,
                       fmt::format("a whole number from {} to {}", low, high));
  }
  out_signed = as_signed.value_or(static_cast<std::int64_t>(as_unsigned.value_or(0)));
  out_unsigned = as_unsigned.value_or(0);
  return true;
}

bool Reader::read_double(const value& in, double& out) {
  if (!in.is_number()) return add_problem(Problem::Kind::wrong_type, Problem::Type::number, "a number", &in);
  out = in.to_number<double>();
  return true;
}

bool Reader::read_text(const value& in, std::string& out) {
  if (in.is_string()) {
    out = in.get_string();
    return true;
  }
  if (options_.coerce && (in.is_number() || in.is_bool())) {
    out = boost::json::serialize(in);
    return true;
  }
  return add_problem(Problem::Kind::wrong_type, Problem::Type::text, "text", &in);
}

bool Codec<Timestamp>::read(Reader& reader, const value& in, Timestamp& out) {
  if (in.is_string()) {
    if (const auto time = parse_rfc3339(in.get_string())) {
      out = *time;
      return true;
    }
  }
  return reader.add_problem(Problem::Kind::invalid_value, Problem::Type::other, "an RFC 3339 time", &in);
}
value Codec<Timestamp>::write(const Timestamp& time) { return value(format_rfc3339(time)); }

bool Codec<Digest>::read(Reader& reader, const value& in, Digest& out) {
  if (in.is_string()) {
    if (const auto digest = Digest::from_hex(in.get_string())) {
      out = *digest;
      return true;
    }
  }
  return reader.add_problem(Problem::Kind::invalid_value, Problem::Type::other, "a digest of 64 lower-case hex digits",
                            &in);
}
value Codec<Digest>::write(const Digest& digest) { return value(digest.hex()); }

bool Codec<std::filesystem::path>::read(Reader& reader, const value& in, std::filesystem::path& out) {
  std::string text;
  if (!reader.read(in, text)) return false;
  if (text.find('\0') != std::string::npos)
    return reader.add_problem(Problem::Kind::invalid_value, Problem::Type::other, "a path");
  out = text;
  return true;
}
value Codec<std::filesystem::path>::write(const std::filesystem::path& path) { return value(path.string()); }

std::string to_text(const value& in) { return boost::json::serialize(in); }

std::variant<value, SyntaxError> parse_or_offset(std::string_view text) {
  boost::json::parser parser{{}, {.max_depth = 64}};
  boost::json::error_code error;
  const std::size_t read = parser.write(text.data(), text.size(), error);
  if (error) return SyntaxError{read, error.message()};
  return parser.release();
}

Result<value> parse(std::string_view text) {
  auto parsed = parse_or_offset(text);
  if (const auto* broken = std::get_if<SyntaxError>(&parsed)) {
    return make_error(ErrorKind::invalid, "broken JSON at offset {}: {}", broken->offset, broken->what);
  }
  return std::get<value>(std::move(parsed));
}

}  // namespace cherax::json
