#include "transform/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "transform/testing.h"

namespace cherax::transform {
namespace {

using ::testing::HasSubstr;
using testing::private_pem;
using testing::public_pem;

std::string written_private(EVP_PKEY* owned, const EVP_CIPHER* cipher = nullptr) {
  const testing::detail::Key key(owned, EVP_PKEY_free);
  const testing::detail::Bio out(BIO_new(BIO_s_mem()), BIO_free);
  const unsigned char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), cipher, reinterpret_cast<const char*>(password),
                                cipher != nullptr ? 6 : 0, nullptr, nullptr);
  return testing::detail::text_of(out);
}

std::string written_public(EVP_PKEY* owned) {
  const testing::detail::Key key(owned, EVP_PKEY_free);
  const testing::detail::Bio out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PUBKEY(out.get(), key.get());
  return testing::detail::text_of(out);
}

template <class Key>
std::string refusal(std::string_view pem) {
  const auto key = Key::from_pem(pem);
  if (key.has_value()) return "accepted";
  EXPECT_EQ(key.error().kind(), ErrorKind::invalid);
  return key.error().message();
}

TEST(Keys, AreReadFromPem) {
  for (const std::string id : {"rsa1024", "rsa3072"}) {
    EXPECT_TRUE(PrivateKey::from_pem(private_pem(id)).has_value());
    EXPECT_TRUE(PublicKey::from_pem(public_pem(id)).has_value());
    EXPECT_TRUE(PublicKey::from_pem("# text around it\n" + public_pem(id) + "\n").has_value());
  }
}

TEST(Keys, AreNotTakenForOneAnother) {
  EXPECT_THAT(refusal<PublicKey>(private_pem("rsa1024")), HasSubstr("RSA public key"));
  EXPECT_THAT(refusal<PrivateKey>(public_pem("rsa1024")), HasSubstr("RSA private key"));
}

TEST(Keys, AreNoOtherText) {
  for (const std::string_view text : {"", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}) {
    EXPECT_NE(refusal<PublicKey>(text), "accepted");
    EXPECT_NE(refusal<PrivateKey>(text), "accepted");
  }
  EXPECT_NE(refusal<PublicKey>(std::string(1 << 20, 'x')), "accepted");
}

TEST(Keys, HaveNoPassword) {
  EXPECT_THAT(refusal<PrivateKey>(written_private(EVP_RSA_gen(1024), EVP_aes_128_cbc())), HasSubstr("password"));
}

TEST(Keys, AreRsaOnly) {
  EXPECT_THAT(refusal<PrivateKey>(written_private(EVP_EC_gen("P-256"))), HasSubstr("only RSA"));
  EXPECT_THAT(refusal<PublicKey>(written_public(EVP_EC_gen("P-256"))), HasSubstr("only RSA"));
}

TEST(Keys, AreLargeEnoughToWrapAnObjectsKeys) {
  EXPECT_THAT(refusal<PublicKey>(written_public(EVP_RSA_gen(768))), HasSubstr("768 bits"));
  EXPECT_THAT(refusal<PrivateKey>(written_private(EVP_RSA_gen(768))), HasSubstr("768 bits"));
}

TEST(Keys, AreNotRepeatedInMessages) {
  std::string damaged = private_pem("rsa1024");
  damaged[100] = '*';
  const std::string message = refusal<PrivateKey>(damaged);
  EXPECT_EQ(message.find(damaged.substr(40, 20)), std::string::npos) << message;
}

}  // namespace
}  // namespace cherax::transform
