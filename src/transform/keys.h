#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"

struct evp_pkey_st;

namespace cherax::transform {

/// RSA keys of an `encryption_keys` entry of the configuration. Copies share the key; any thread may use it. There is
/// no way back to text. A text that is no such key, has a password, or is no RSA key of at least 1024 bits is
/// Error{invalid}; the message repeats nothing of it.
class PublicKey {
 public:
  /// PEM, SubjectPublicKeyInfo ("BEGIN PUBLIC KEY").
  static Result<PublicKey> from_pem(std::string_view pem);

  evp_pkey_st* handle() const { return key_.get(); }

 private:
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

class PrivateKey {
 public:
  /// PEM, PKCS#8 ("BEGIN PRIVATE KEY") or PKCS#1 ("BEGIN RSA PRIVATE KEY").
  static Result<PrivateKey> from_pem(std::string_view pem);

  evp_pkey_st* handle() const { return key_.get(); }

 private:
  explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

/// Whether what one seals the other opens.
bool is_pair(const PublicKey& public_key, const PrivateKey& private_key);

}  // namespace cherax::transform
