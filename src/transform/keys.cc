#include "transform/keys.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "transform/openssl_handles.h"

namespace cherax::transform {

namespace {

constexpr std::size_t kMaxPemSize = 64 * 1024;
constexpr int kMinBits = 1024;

/// Called by OpenSSL when the text is encrypted: notes that in the bool at `asked`, and gives no password.
int refuse_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

using PemReader = EVP_PKEY* (*)(BIO*, EVP_PKEY**, pem_password_cb*, void*);

Result<std::shared_ptr<EVP_PKEY>> read_rsa_key(std::string_view pem, PemReader read, std::string_view what) {
  if (pem.size() > kMaxPemSize)
    return make_error(ErrorKind::invalid, "{}: {} bytes are too many for a key in PEM", what, pem.size());
  const Handle<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require_openssl(bio != nullptr, "wrap a key's text");
  bool asked_for_password = false;
  const std::shared_ptr<EVP_PKEY> key(read(bio.get(), nullptr, refuse_password, &asked_for_password), EVP_PKEY_free);
  ERR_clear_error();
  if (asked_for_password) {
    return make_error(ErrorKind::invalid, "{}: it is protected by a password; remove that with `openssl pkey`", what);
  }
  if (!key) return make_error(ErrorKind::invalid, "{}: the text is not one in PEM, or is damaged", what);
  if (EVP_PKEY_is_a(key.get(), "RSA") != 1)
    return make_error(ErrorKind::invalid, "{}: only RSA keys can seal objects", what);
  if (EVP_PKEY_get_bits(key.get()) < kMinBits) {
    return make_error(ErrorKind::invalid, "{}: it has {} bits, at least {} are needed", what,
                      EVP_PKEY_get_bits(key.get()), kMinBits);
  }
  return key;
}

}  // namespace

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  auto key = read_rsa_key(pem, PEM_read_bio_PUBKEY, "RSA public key");
  if (!key) return key.error();
  return PublicKey(*std::move(key));
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  auto key = read_rsa_key(pem, PEM_read_bio_PrivateKey, "RSA private key");
  if (!key) return key.error();
  return PrivateKey(*std::move(key));
}

bool is_pair(const PublicKey& public_key, const PrivateKey& private_key) {
  return EVP_PKEY_eq(public_key.handle(), private_key.handle()) == 1;
}

}  // namespace cherax::transform
