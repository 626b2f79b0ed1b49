#pragma once

// For tests, benchmarks and fuzz targets only: bytes to try stages on, and the key pairs of tests/vectors/golden/keys.

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "transform/keys.h"

namespace cherax::transform::testing {

using Chunks = std::vector<std::size_t>;  ///< sizes, used in turn and over again; none: everything at once

/// `size` bytes that are partly noise and partly repetition, the same for the same `seed`.
inline Bytes sample_bytes(std::size_t size, std::uint32_t seed) {
  Bytes bytes(size);
  std::uint64_t state = seed * 2654435761ULL + 1;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const bool noisy = (i / 1000 + seed) % 3 == 0;
    bytes[i] = noisy ? static_cast<std::byte>(state >> 56) : static_cast<std::byte>(i % 61);
  }
  return bytes;
}

/// Gives out bytes in the sizes of `chunks` at most.
class ChunkedSource final : public Source {
 public:
  ChunkedSource(ByteView bytes, Chunks chunks) : inner_(bytes), chunks_(std::move(chunks)) {}
  std::size_t read(MutableByteView buffer) override {
    if (chunks_.empty()) return inner_.read(buffer);
    return inner_.read(buffer.first(std::min(buffer.size(), chunks_[next_++ % chunks_.size()])));
  }

 private:
  MemorySource inner_;
  Chunks chunks_;
  std::size_t next_ = 0;
};

/// Reads `source` to its end into buffers of the sizes of `chunks`.
inline Bytes drain(Source& source, const Chunks& chunks = {}) {
  Bytes all;
  Bytes buffer(chunks.empty() ? kStreamBuffer : *std::ranges::max_element(chunks));
  for (std::size_t i = 0;; ++i) {
    const MutableByteView wanted =
        MutableByteView{buffer}.first(chunks.empty() ? buffer.size() : chunks[i % chunks.size()]);
    const std::size_t size = source.read(wanted);
    if (size == 0) break;
    all.insert(all.end(), wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return all;
}

/// Writes `bytes` to `sink` in the sizes of `chunks`, and finishes it.
inline void feed(Sink& sink, ByteView bytes, const Chunks& chunks = {}) {
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const std::size_t size = chunks.empty() ? bytes.size() : std::min(bytes.size(), chunks[i % chunks.size()]);
    sink.write(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  sink.finish();
}

/// Runs `work`; the kind of the Error that left it. Anything else, or no Error, throws std::logic_error.
inline ErrorKind kind_of_error(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.kind();
  }
  throw std::logic_error("no Error was thrown");
}

inline std::filesystem::path vectors() { return CHERAX_VECTORS; }

inline Bytes read_bytes(const std::filesystem::path& path) {
  File file(path, O_RDONLY);
  FileSource source(file);
  return drain(source);
}

namespace detail {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

inline std::string text_of(const Bio& bio) {
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

inline Key key_from_der(const std::filesystem::path& path, EVP_PKEY* (*read)(BIO*, EVP_PKEY**)) {
  const Bytes der = read_bytes(path);
  const Bio bio(BIO_new_mem_buf(der.data(), static_cast<int>(der.size())), BIO_free);
  Key key(read(bio.get(), nullptr), EVP_PKEY_free);
  if (!key) throw std::logic_error("no key in " + path.string());
  return key;
}

}  // namespace detail

/// `id` is rsa1024 or rsa3072.
inline std::string private_pem(const std::string& id) {
  const auto key = detail::key_from_der(vectors() / "golden/keys" / (id + ".private.der"), d2i_PrivateKey_bio);
  const detail::Bio out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return detail::text_of(out);
}

inline std::string public_pem(const std::string& id) {
  const auto key = detail::key_from_der(vectors() / "golden/keys" / (id + ".public.der"), d2i_PUBKEY_bio);
  const detail::Bio out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PUBKEY(out.get(), key.get());
  return detail::text_of(out);
}

inline PrivateKey private_key(const std::string& id) { return PrivateKey::from_pem(private_pem(id)).value(); }
inline PublicKey public_key(const std::string& id) { return PublicKey::from_pem(public_pem(id)).value(); }

}  // namespace cherax::transform::testing
