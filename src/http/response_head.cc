#include "http/response_head.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace cherax::http {

namespace {

std::string_view reason(int status) {
  static constexpr auto kReasons = std::to_array<std::pair<int, std::string_view>>({
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {307, "Temporary Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
  });
  for (const auto& [known, words] : kReasons) {
    if (known == status) return words;
  }
  return "";
}

/// RFC 9110's IMF-fixdate. strftime's names are English: nothing here sets a locale.
std::string http_date(std::time_t now) {
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace

std::string response_head(const Response& response, Persistence persistence, std::time_t now) {
  auto head = fmt::format("HTTP/1.1 {} {}\r\ndate: {}\r\nserver: cherax\r\ncontent-length: {}\r\n", response.status,
                          reason(response.status), http_date(now), response.body.size());
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  if (!response.content_type.empty()) add("content-type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (persistence == Persistence::close) add("connection", "close");
  if (persistence == Persistence::keep_alive) add("connection", "keep-alive");
  return head.append("\r\n");
}

}  // namespace cherax::http
