#include "base/bytes.h"

#include <openssl/evp.h>

namespace cherax {

std::string to_hex(ByteView bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::byte byte : bytes) {
    text.push_back(kDigits[std::to_integer<unsigned>(byte) >> 4]);
    text.push_back(kDigits[std::to_integer<unsigned>(byte) & 0xf]);
  }
  return text;
}

namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_base64_digit(char digit) {
  return (digit >= 'A' && digit <= 'Z') || (digit >= 'a' && digit <= 'z') || (digit >= '0' && digit <= '9') ||
         digit == '+' || digit == '/';
}

}  // namespace

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return make_error(ErrorKind::invalid, "hex text of odd length {}", text.size());
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return make_error(ErrorKind::invalid, "not a hex digit at offset {}", i);
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), as_unsigned(bytes),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  if (text.empty()) return Bytes{};
  if (text.size() % 4 != 0)
    return make_error(ErrorKind::invalid, "base64 text of length {}, not a multiple of 4", text.size());
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  for (char digit : text.substr(0, text.size() - padding)) {
    if (!is_base64_digit(digit))
      return make_error(ErrorKind::invalid, "not a base64 digit: code {}", static_cast<int>(digit));
  }
  Bytes bytes(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(as_unsigned(MutableByteView{bytes}),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return make_error(ErrorKind::invalid, "malformed base64 text");
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace cherax
