#include "transform/openssl_handles.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>

#include "base/error.h"

namespace cherax::transform {

void OpensslDeleter::operator()(bio_st* bio) const noexcept { BIO_free(bio); }
void OpensslDeleter::operator()(evp_cipher_ctx_st* context) const noexcept { EVP_CIPHER_CTX_free(context); }
void OpensslDeleter::operator()(evp_mac_ctx_st* context) const noexcept { EVP_MAC_CTX_free(context); }
void OpensslDeleter::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }
void OpensslDeleter::operator()(evp_pkey_ctx_st* context) const noexcept { EVP_PKEY_CTX_free(context); }

void fail_openssl(std::string_view what_was_tried) {
  std::array<char, 256> words{"no reason given"};
  if (const unsigned long code = ERR_peek_last_error()) ERR_error_string_n(code, words.data(), words.size());
  ERR_clear_error();
  fail(ErrorKind::internal, "OpenSSL could not {}: {}", what_was_tried, words.data());
}

}  // namespace cherax::transform
