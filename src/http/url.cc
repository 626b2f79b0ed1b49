#include "http/url.h"

#include <algorithm>
#include <optional>
#include <ranges>

namespace cherax::http {

namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string encode_except(std::string_view text, std::string_view kept) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || kept.find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      const auto code = static_cast<unsigned char>(c);
      encoded.append({'%', kDigits[code >> 4], kDigits[code & 0xf]});
    }
  }
  return encoded;
}

std::optional<unsigned> hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return std::nullopt;
}

std::string decode_query_part(std::string_view text) {
  std::string spaced{text};
  std::ranges::replace(spaced, '+', ' ');
  return percent_decode(spaced);
}

}  // namespace

const std::string* find(const Parameters& parameters, std::string_view name) {
  for (const Parameter& parameter : parameters | std::views::reverse) {
    if (parameter.name == name) return &parameter.value;
  }
  return nullptr;
}

std::string percent_encode(std::string_view text) { return encode_except(text, ""); }
std::string percent_encode_path(std::string_view path) { return encode_except(path, "/:@!$&'()*+,;="); }

std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto high = hex_value(text[i + 1]);
      const auto low = hex_value(text[i + 2]);
      if (high && low) {
        decoded.push_back(static_cast<char>(*high << 4 | *low));
        i += 2;
        continue;
      }
    }
    decoded.push_back(text[i]);
  }
  return decoded;
}

std::string to_query(const Parameters& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (!query.empty()) query.push_back('&');
    query.append(percent_encode(name)).append("=").append(percent_encode(value));
  }
  return query;
}

Parameters parse_query(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const auto name = part.substr(0, part.find('='));
    const auto value = part.substr(std::min(name.size() + 1, part.size()));
    parameters.push_back({decode_query_part(name), decode_query_part(value)});
  }
  return parameters;
}

std::string join(std::string_view base, std::string_view path) {
  while (base.ends_with('/')) base.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string{base}.append("/").append(path);
}

std::string without_secrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto scheme_end = url.find("://");
  const auto authority = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  const auto authority_end = std::min(url.find('/', authority), url.size());
  const auto user_end = url.substr(authority, authority_end - authority).rfind('@');
  if (user_end == std::string_view::npos) return std::string{url};
  return std::string{url.substr(0, authority)}.append(url.substr(authority + user_end + 1));
}

}  // namespace cherax::http
