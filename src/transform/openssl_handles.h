#pragma once

#include <memory>
#include <string_view>

struct bio_st;
struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;
struct evp_md_ctx_st;
struct evp_pkey_ctx_st;

namespace cherax::transform {

struct OpensslDeleter {
  void operator()(bio_st* bio) const noexcept;
  void operator()(evp_cipher_ctx_st* context) const noexcept;
  void operator()(evp_mac_ctx_st* context) const noexcept;
  void operator()(evp_md_ctx_st* context) const noexcept;
  void operator()(evp_pkey_ctx_st* context) const noexcept;
};

/// An owned OpenSSL object, without its headers.
template <class T>
using Handle = std::unique_ptr<T, OpensslDeleter>;

/// Throws Error{internal} with OpenSSL's own words, and empties its error queue so that no later TLS call trips over
/// it.
[[noreturn]] void fail_openssl(std::string_view what_was_tried);

inline void require_openssl(bool succeeded, std::string_view what_was_tried) {
  if (!succeeded) fail_openssl(what_was_tried);
}

}  // namespace cherax::transform
