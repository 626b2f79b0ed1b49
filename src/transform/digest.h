#pragma once

#include <cstdint>
#include <optional>

#include "base/digest.h"
#include "base/stream.h"
#include "transform/openssl_handles.h"

namespace cherax::transform {

/// BLAKE2s-256 (RFC 7693, no key), piece by piece.
class Digester {
 public:
  Digester();
  void update(ByteView bytes);
  /// The digest of all bytes given. The digester is not used again.
  Digest finish();

 private:
  Handle<evp_md_ctx_st> context_;
};

/// Reads `source` to its end through a buffer of kStreamBuffer bytes.
Digest digest_of(Source& source);

/// Counts and hashes bytes against what a manifest or a scan said about them. Each failure is Error{corrupt}.
class ContentCheck {
 public:
  ContentCheck(Digest expected, std::uint64_t expected_size) : expected_(expected), expected_size_(expected_size) {}

  /// Fails at once when there are more than the expected bytes.
  void add(ByteView bytes);
  bool has_expected_size() const { return size_ == expected_size_; }
  /// There are no more bytes: fails unless size and digest are the expected ones.
  void require_match();

 private:
  Digest expected_;
  std::uint64_t expected_size_;
  std::uint64_t size_ = 0;
  Digester digester_;
  std::optional<Digest> actual_;
};

/// Passes the bytes of `inner` on. The last byte and the end are passed on only when size and digest are the expected
/// ones; otherwise read throws Error{corrupt}, so that a put which reads this stores nothing.
class VerifyingSource final : public Source {
 public:
  VerifyingSource(Source& inner, Digest expected, std::uint64_t expected_size)
      : inner_(inner), check_(expected, expected_size) {}
  std::size_t read(MutableByteView buffer) override;

 private:
  Source& inner_;
  ContentCheck check_;
};

/// Passes bytes on to `inner`, never more than `expected_size`, and finishes it only when size and digest are the
/// expected ones. Until then what `inner` got must not be trusted.
class VerifyingSink final : public Sink {
 public:
  VerifyingSink(Sink& inner, Digest expected, std::uint64_t expected_size)
      : inner_(inner), check_(expected, expected_size) {}
  void write(ByteView bytes) override;
  void finish() override;

 private:
  Sink& inner_;
  ContentCheck check_;
};

}  // namespace cherax::transform
