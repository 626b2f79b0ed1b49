#include "transform/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <array>
#include <optional>

#include "transform/openssl_handles.h"
#include "transform/stage.h"

namespace cherax::transform {

namespace {

constexpr std::string_view kMagic = "pghoa1";
constexpr std::size_t kPreambleSize = kMagic.size() + 2;  // and the length of the wrapped keys, big-endian
constexpr std::size_t kMacSize = 32;

/// What the RSA key wraps: one object's secrets, in the order of the format. Wiped when it goes.
struct ObjectKeys {
  static constexpr std::size_t kSize = 64;

  ObjectKeys() = default;
  ObjectKeys(const ObjectKeys&) = delete;
  ObjectKeys& operator=(const ObjectKeys&) = delete;
  ~ObjectKeys() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  const unsigned char* aes_key() const { return bytes.data(); }
  const unsigned char* first_counter_block() const { return bytes.data() + 16; }
  std::span<const unsigned char> hmac_key() const { return std::span{bytes}.subspan(32); }

  std::array<unsigned char, kSize> bytes;
};

/// Prepares `key` for RSA-OAEP with SHA-1 and MGF1-SHA-1; `init` is EVP_PKEY_encrypt_init or EVP_PKEY_decrypt_init.
Handle<EVP_PKEY_CTX> oaep_context(EVP_PKEY* key, int (*init)(EVP_PKEY_CTX*)) {
  Handle<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  require_openssl(context && init(context.get()) == 1 &&
                      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha1()) == 1 &&
                      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha1()) == 1,
                  "prepare RSA-OAEP");
  return context;
}

Bytes wrap(const ObjectKeys& keys, const PublicKey& key) {
  const auto context = oaep_context(key.handle(), EVP_PKEY_encrypt_init);
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.handle()));
  Bytes wrapped(size);
  require_openssl(EVP_PKEY_encrypt(context.get(), as_unsigned(MutableByteView{wrapped}), &size, keys.bytes.data(),
                                   keys.bytes.size()) == 1,
                  "wrap an object's keys");
  wrapped.resize(size);
  return wrapped;
}

void unwrap(ByteView wrapped, const PrivateKey& key, ObjectKeys& keys) {
  const auto context = oaep_context(key.handle(), EVP_PKEY_decrypt_init);
  std::vector<unsigned char> plain(static_cast<std::size_t>(EVP_PKEY_get_size(key.handle())));
  std::size_t size = plain.size();
  const bool unwrapped =
      EVP_PKEY_decrypt(context.get(), plain.data(), &size, as_unsigned(wrapped), wrapped.size()) == 1;
  ERR_clear_error();
  if (unwrapped && size == ObjectKeys::kSize) std::copy_n(plain.begin(), size, keys.bytes.begin());
  OPENSSL_cleanse(plain.data(), plain.size());
  if (!unwrapped) {
    fail(ErrorKind::denied,
         "cannot open a sealed object: the private key does not unwrap its keys. It was sealed with another key than "
         "the "
         "configuration has under its encryption-key-id, or its first bytes are damaged");
  }
  if (size != ObjectKeys::kSize) {
    fail(ErrorKind::corrupt, "cannot open a sealed object: its wrapped keys have {} bytes, not {}", size,
         ObjectKeys::kSize);
  }
}

/// AES-128-CTR and HMAC-SHA-256 under one object's keys.
class ObjectCipher {
 public:
  explicit ObjectCipher(const ObjectKeys& keys) : cipher_(EVP_CIPHER_CTX_new()) {
    // CTR is its own inverse: "encrypt" serves both directions.
    require_openssl(cipher_ && EVP_EncryptInit_ex2(cipher_.get(), EVP_aes_128_ctr(), keys.aes_key(),
                                                   keys.first_counter_block(), nullptr) == 1,
                    "start AES-128-CTR");
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    require_openssl(hmac != nullptr, "find HMAC");
    mac_.reset(EVP_MAC_CTX_new(hmac));
    EVP_MAC_free(hmac);
    char digest_name[] = "SHA256";
    const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
                            OSSL_PARAM_construct_end()};
    require_openssl(
        mac_ && EVP_MAC_init(mac_.get(), keys.hmac_key().data(), keys.hmac_key().size(), params.data()) == 1,
        "start HMAC-SHA-256");
  }

  /// `out` may be where `in` is. At most kStreamBuffer bytes at a time.
  void apply(ByteView in, std::byte* out) {
    int size = 0;
    require_openssl(EVP_EncryptUpdate(cipher_.get(), reinterpret_cast<unsigned char*>(out), &size, as_unsigned(in),
                                      static_cast<int>(in.size())) == 1,
                    "run AES-128-CTR");
  }

  void authenticate(ByteView ciphertext) {
    require_openssl(EVP_MAC_update(mac_.get(), as_unsigned(ciphertext), ciphertext.size()) == 1, "add to an HMAC");
  }

  std::array<std::byte, kMacSize> finish_mac() {
    std::array<std::byte, kMacSize> mac{};
    std::size_t size = 0;
    require_openssl(EVP_MAC_final(mac_.get(), as_unsigned(MutableByteView{mac}), &size, mac.size()) == 1,
                    "finish an HMAC");
    return mac;
  }

 private:
  Handle<EVP_CIPHER_CTX> cipher_;
  Handle<EVP_MAC_CTX> mac_;
};

class SealingSource final : public StagedSource {
 public:
  SealingSource(Source& plain, PublicKey key) : plain_(plain), key_(std::move(key)), buffer_(kStreamBuffer) {}

 private:
  void refill() override {
    if (ended_) return;
    const std::size_t size = plain_.read(buffer_);
    ended_ = size == 0;
    if (size > 0) {
      if (!cipher_) stage_header();
      stage_ciphertext(ByteView{buffer_}.first(size));
    } else if (cipher_) {
      const auto mac = cipher_->finish_mac();
      staged_.assign(mac.begin(), mac.end());
    }
  }

  void stage_header() {
    ObjectKeys keys;
    require_openssl(RAND_priv_bytes(keys.bytes.data(), static_cast<int>(keys.bytes.size())) == 1,
                    "make an object's keys");
    const Bytes wrapped = wrap(keys, key_);
    cipher_.emplace(keys);
    std::ranges::copy(as_bytes(kMagic), std::back_inserter(staged_));
    staged_.push_back(static_cast<std::byte>(wrapped.size() >> 8));
    staged_.push_back(static_cast<std::byte>(wrapped.size() & 0xff));
    staged_.insert(staged_.end(), wrapped.begin(), wrapped.end());
  }

  void stage_ciphertext(ByteView plain) {
    const std::size_t header_size = staged_.size();
    staged_.resize(header_size + plain.size());
    cipher_->apply(plain, staged_.data() + header_size);
    cipher_->authenticate(ByteView{staged_}.subspan(header_size));
  }

  Source& plain_;
  PublicKey key_;
  Bytes buffer_;
  std::optional<ObjectCipher> cipher_;
  bool ended_ = false;
};

class OpeningSink final : public Sink {
 public:
  OpeningSink(Sink& plain, PrivateKey key) : plain_(plain), key_(std::move(key)), buffer_(kStreamBuffer) {}

  void write(ByteView bytes) override {
    while (!cipher_ && !bytes.empty()) bytes = bytes.subspan(collect_header(bytes));
    if (cipher_) release_all_but_mac(bytes);
  }

  void finish() override {
    if (header_.empty()) {
      plain_.finish();
      return;
    }
    if (!cipher_ || held_size_ < kMacSize) fail(ErrorKind::corrupt, "cannot open a sealed object: it is cut off");
    const auto mac = cipher_->finish_mac();
    if (CRYPTO_memcmp(mac.data(), held_.data(), kMacSize) != 0) {
      fail(ErrorKind::corrupt,
           "cannot open a sealed object: its HMAC differs. The object was changed or cut off after it was sealed");
    }
    plain_.finish();
  }

 private:
  /// Takes bytes for the magic and the length, then for the wrapped keys. Returns how many.
  std::size_t collect_header(ByteView bytes) {
    const std::size_t wanted = header_.size() < kPreambleSize ? kPreambleSize : kPreambleSize + wrapped_size();
    const ByteView taken = bytes.first(std::min(wanted - header_.size(), bytes.size()));
    header_.insert(header_.end(), taken.begin(), taken.end());
    if (header_.size() < wanted) return taken.size();
    if (wanted == kPreambleSize) {
      require_preamble();
    } else {
      ObjectKeys keys;
      unwrap(ByteView{header_}.subspan(kPreambleSize), key_, keys);
      cipher_.emplace(keys);
    }
    return taken.size();
  }

  std::size_t wrapped_size() const {
    return std::to_integer<std::size_t>(header_[kMagic.size()]) << 8 |
           std::to_integer<std::size_t>(header_[kMagic.size() + 1]);
  }

  void require_preamble() const {
    if (as_text(header_).substr(0, kMagic.size()) != kMagic) {
      fail(ErrorKind::corrupt, "cannot open a sealed object: it does not start with \"{}\"", kMagic);
    }
    const auto key_size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.handle()));
    if (wrapped_size() != key_size) {
      fail(ErrorKind::denied,
           "cannot open a sealed object: it was sealed with a key of {} bits, the private key has {}",
           wrapped_size() * 8, key_size * 8);
    }
  }

  /// The last 32 bytes so far may be the HMAC: they are held back, what is before them is ciphertext.
  void release_all_but_mac(ByteView bytes) {
    const std::size_t total = held_size_ + bytes.size();
    const std::size_t surplus = total > kMacSize ? total - kMacSize : 0;
    const std::size_t from_held = std::min(surplus, held_size_);
    decrypt(ByteView{held_}.first(from_held));
    std::copy(held_.begin() + from_held, held_.begin() + held_size_, held_.begin());
    held_size_ -= from_held;
    const std::size_t from_bytes = surplus - from_held;
    decrypt(bytes.first(from_bytes));
    const ByteView rest = bytes.subspan(from_bytes);
    std::ranges::copy(rest, held_.begin() + held_size_);
    held_size_ += rest.size();
  }

  void decrypt(ByteView ciphertext) {
    while (!ciphertext.empty()) {
      const ByteView piece = ciphertext.first(std::min(ciphertext.size(), buffer_.size()));
      cipher_->authenticate(piece);
      cipher_->apply(piece, buffer_.data());
      plain_.write(ByteView{buffer_}.first(piece.size()));
      ciphertext = ciphertext.subspan(piece.size());
    }
  }

  Sink& plain_;
  PrivateKey key_;
  Bytes buffer_;
  Bytes header_;
  std::optional<ObjectCipher> cipher_;
  std::array<std::byte, kMacSize> held_{};
  std::size_t held_size_ = 0;
};

}  // namespace

std::unique_ptr<Source> seal(Source& plain, const PublicKey& key) {
  return std::make_unique<SealingSource>(plain, key);
}

std::unique_ptr<Sink> open(Sink& plain, const PrivateKey& key) { return std::make_unique<OpeningSink>(plain, key); }

}  // namespace cherax::transform
