#pragma once

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"

/// JSON <-> structs whose members are described with BOOST_DESCRIBE_STRUCT. A member's name is its key, without a
/// trailing underscore (`private_` is "private"). Members keep their default when the key is absent or null, unless the
/// struct lists them in `static constexpr std::array kRequired{"locker", …}`; null empties a std::optional. Members
/// that the struct lists in `kOmittedWhenDefault` are left out when they are written with their default. Other types
/// take part by specializing Codec.
namespace cherax::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// Where in a document: member names and array indices from the root.
using Path = std::vector<std::variant<std::string, std::size_t>>;
/// `coordinator.nodes[2].url`; `document` for the root.
std::string to_string(const Path& path);

struct Problem {
  enum class Kind { missing, unknown, wrong_type, invalid_value };
  enum class Type { boolean, integer, number, text, list, object, enumeration, other };
  Path path;
  Kind kind;
  Type type;                           ///< of what was expected
  std::string expected;                ///< for people: "a whole number", "one of zstd, snappy, lzma"
  std::vector<std::string> permitted;  ///< the names of an enumeration
};
/// "coordinator.nodes[2].url: expected text, found a number"
std::string to_string(const Problem& problem);

struct ReadOptions {
  bool refuse_unknown = false;  ///< a key that no member has is a Problem
  bool coerce = false;          ///< numbers and booleans may stand for text, "3" for 3, as Astacus' requests allow
};

/// Collects every problem of a document instead of stopping at the first.
class Reader {
 public:
  explicit Reader(ReadOptions options) : options_(options) {}

  /// False when a problem was added; `out` is then unspecified.
  template <class T>
  bool read(const value& in, T& out);

  bool add_problem(Problem::Kind kind, Problem::Type type, std::string expected, const value* found = nullptr,
                   std::vector<std::string> permitted = {});
  const ReadOptions& options() const { return options_; }
  const std::vector<Problem>& problems() const { return problems_; }
  std::vector<Problem> take_problems() { return std::move(problems_); }

  /// What `read` reads stands at `step` below where the reader is.
  template <class Read>
  bool at(std::variant<std::string, std::size_t> step, Read&& read) {
    path_.push_back(std::move(step));
    const bool good = read();
    path_.pop_back();
    return good;
  }
  template <class Read>
  bool at_path(const Path& steps, Read&& read) {
    path_.insert(path_.end(), steps.begin(), steps.end());
    const bool good = read();
    path_.resize(path_.size() - steps.size());
    return good;
  }

 private:
  bool read_bool(const value& in, bool& out);
  bool read_integer(const value& in, std::int64_t low, std::uint64_t high, std::int64_t& out_signed,
                    std::uint64_t& out_unsigned);
  bool read_double(const value& in, double& out);
  bool read_text(const value& in, std::string& out);
  template <class T>
  bool read_struct(const value& in, T& out);
  template <class T>
  bool read_enum(const value& in, T& out);

  ReadOptions options_;
  Path path_;
  std::vector<Problem> problems_;
};

/// Specialize for a type that is neither described nor built in:
///   static bool read(Reader&, const value&, T&);   static value write(const T&);
template <class T>
struct Codec;

template <>
struct Codec<Timestamp> {
  static bool read(Reader& reader, const value& in, Timestamp& out);
  static value write(const Timestamp& time);
};
template <>
struct Codec<Digest> {
  static bool read(Reader& reader, const value& in, Digest& out);
  static value write(const Digest& digest);
};
template <>
struct Codec<std::filesystem::path> {
  static bool read(Reader& reader, const value& in, std::filesystem::path& out);
  static value write(const std::filesystem::path& path);
};

namespace detail {

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept HasCodec = requires { sizeof(Codec<T>); };
template <class T>
concept HasRequired = requires { T::kRequired; };
template <class T>
concept OmitsDefaults = requires { T::kOmittedWhenDefault; };

template <class Names>
constexpr bool contains(const Names& names, std::string_view name) {
  for (std::string_view one : names) {
    if (one == name) return true;
  }
  return false;
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;

/// Base classes' members first: SnapshotResult is a NodeResult and more.
template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

constexpr std::string_view key_of(std::string_view member) {
  return member.ends_with('_') ? member.substr(0, member.size() - 1) : member;
}

/// An enumerator's name on the wire: without a trailing underscore (`lock_`).
template <DescribedEnum T>
std::vector<std::string> enumerator_names() {
  std::vector<std::string> names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto e) { names.emplace_back(key_of(e.name)); });
  return names;
}

}  // namespace detail

template <class T>
bool Reader::read(const value& in, T& out) {
  if constexpr (std::same_as<T, value>) {
    out = in;
    return true;
  } else if constexpr (std::same_as<T, bool>) {
    return read_bool(in, out);
  } else if constexpr (std::integral<T>) {
    std::int64_t as_signed = 0;
    std::uint64_t as_unsigned = 0;
    if (!read_integer(in, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), as_signed, as_unsigned))
      return false;
    out = std::is_signed_v<T> ? static_cast<T>(as_signed) : static_cast<T>(as_unsigned);
    return true;
  } else if constexpr (std::floating_point<T>) {
    double number = 0;
    if (!read_double(in, number)) return false;
    out = static_cast<T>(number);
    return true;
  } else if constexpr (std::same_as<T, std::string>) {
    return read_text(in, out);
  } else if constexpr (detail::HasCodec<T>) {
    return Codec<T>::read(*this, in, out);
  } else if constexpr (detail::is_optional<T>) {
    if (in.is_null()) {
      out.reset();
      return true;
    }
    return read(in, out.emplace());
  } else if constexpr (detail::is_vector<T>) {
    if (!in.is_array()) return add_problem(Problem::Kind::wrong_type, Problem::Type::list, "a list", &in);
    out.clear();
    bool good = true;
    for (const value& element : in.get_array()) {
      const std::size_t index = out.size();
      good = at(index, [&] { return read(element, out.emplace_back()); }) && good;
    }
    return good;
  } else if constexpr (detail::is_map<T>) {
    if (!in.is_object()) return add_problem(Problem::Kind::wrong_type, Problem::Type::object, "an object", &in);
    out.clear();
    bool good = true;
    for (const auto& [key, element] : in.get_object()) {
      good = at(std::string{key}, [&] { return read(element, out[std::string{key}]); }) && good;
    }
    return good;
  } else if constexpr (detail::DescribedEnum<T>) {
    return read_enum(in, out);
  } else {
    static_assert(detail::Described<T>, "describe the struct or specialize Codec");
    return read_struct(in, out);
  }
}

template <class T>
bool Reader::read_enum(const value& in, T& out) {
  if (in.is_string()) {
    bool found = false;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto e) {
      if (detail::key_of(e.name) == std::string_view{in.get_string()}) {
        out = e.value;
        found = true;
      }
    });
    if (found) return true;
  }
  auto names = detail::enumerator_names<T>();
  auto expected = fmt::format("one of {}", fmt::join(names, ", "));
  return add_problem(Problem::Kind::invalid_value, Problem::Type::enumeration, std::move(expected), &in,
                     std::move(names));
}

template <class T>
bool Reader::read_struct(const value& in, T& out) {
  if (!in.is_object()) return add_problem(Problem::Kind::wrong_type, Problem::Type::object, "an object", &in);
  const object& members = in.get_object();
  bool good = true;
  std::size_t known = 0;
  boost::mp11::mp_for_each<detail::Members<T>>([&](auto member) {
    const std::string_view key = detail::key_of(member.name);
    const value* element = members.if_contains(key);
    if (element) ++known;
    constexpr bool is_optional = detail::is_optional<std::remove_cvref_t<decltype(out.*member.pointer)>>;
    if (element && (is_optional || !element->is_null())) {
      good = at(std::string{key}, [&] { return read(*element, out.*member.pointer); }) && good;
    } else if constexpr (detail::HasRequired<T>) {
      if (detail::contains(T::kRequired, key)) {
        good =
            at(std::string{key}, [&] { return add_problem(Problem::Kind::missing, Problem::Type::other, "a value"); });
      }
    }
  });
  if (options_.refuse_unknown && known < members.size()) {
    for (const auto& [key, element] : members) {
      std::vector<std::string> names;
      boost::mp11::mp_for_each<detail::Members<T>>(
          [&](auto member) { names.emplace_back(detail::key_of(member.name)); });
      if (std::ranges::find(names, std::string_view{key}) == names.end()) {
        good = at(std::string{key}, [&] {
          return add_problem(Problem::Kind::unknown, Problem::Type::other,
                             fmt::format("one of {}", fmt::join(names, ", ")));
        });
      }
    }
  }
  return good;
}

/// The value, or all problems as one Error{invalid}.
template <class T>
Result<T> read(const value& in, ReadOptions options = {});

Error problems_error(const std::vector<Problem>& problems);

template <class T>
Result<T> read(const value& in, ReadOptions options) {
  Reader reader{options};
  T out{};
  if (reader.read(in, out)) return out;
  return problems_error(reader.problems());
}

/// As on the wire.
template <detail::DescribedEnum T>
std::string_view enumerator_name(T in) {
  return detail::key_of(boost::describe::enum_to_string(in, ""));
}

template <class T>
value to_value(const T& in) {
  if constexpr (std::same_as<T, value> || std::same_as<T, object> || std::same_as<T, array> || std::same_as<T, bool> ||
                std::floating_point<T>) {
    return in;
  } else if constexpr (std::integral<T>) {
    return in;
  } else if constexpr (std::same_as<T, std::string>) {
    return value(std::string_view{in});
  } else if constexpr (detail::HasCodec<T>) {
    return Codec<T>::write(in);
  } else if constexpr (detail::is_optional<T>) {
    return in ? to_value(*in) : value{};
  } else if constexpr (detail::is_vector<T>) {
    array out;
    out.reserve(in.size());
    for (const auto& element : in) out.push_back(to_value(element));
    return out;
  } else if constexpr (detail::is_map<T>) {
    object out;
    for (const auto& [key, element] : in) out[key] = to_value(element);
    return out;
  } else if constexpr (detail::DescribedEnum<T>) {
    return value(enumerator_name(in));
  } else {
    static_assert(detail::Described<T>, "describe the struct or specialize Codec");
    object out;
    const T defaults{};
    boost::mp11::mp_for_each<detail::Members<T>>([&](auto member) {
      if constexpr (detail::OmitsDefaults<T>) {
        if constexpr (detail::contains(T::kOmittedWhenDefault, detail::key_of(decltype(member)::name))) {
          if (in.*member.pointer == defaults.*member.pointer) return;
        }
      }
      out[detail::key_of(member.name)] = to_value(in.*member.pointer);
    });
    return out;
  }
}

/// Compact text of one line.
std::string to_text(const value& in);
template <class T>
  requires(!std::same_as<T, value>)
std::string to_text(const T& in) {
  return to_text(to_value(in));
}

/// Strict RFC 8259, nesting at most 64 deep; Error{invalid} with the offset. For text of bounded size only: see
/// json_stream.h for the rest.
Result<value> parse(std::string_view text);
/// Also where the text is broken, for answers that have to say so.
struct SyntaxError {
  std::size_t offset;
  std::string what;
};
std::variant<value, SyntaxError> parse_or_offset(std::string_view text);

}  // namespace cherax::json
