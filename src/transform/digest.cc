#include "transform/digest.h"

#include <openssl/evp.h>

namespace cherax::transform {

Digester::Digester() : context_(EVP_MD_CTX_new()) {
  require_openssl(context_ && EVP_DigestInit_ex2(context_.get(), EVP_blake2s256(), nullptr) == 1,
                  "start a BLAKE2s digest");
}

void Digester::update(ByteView bytes) {
  require_openssl(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "add to a BLAKE2s digest");
}

Digest Digester::finish() {
  Digest digest;
  unsigned int size = 0;
  require_openssl(EVP_DigestFinal_ex(context_.get(), as_unsigned(MutableByteView{digest.bytes}), &size) == 1 &&
                      size == Digest::kSize,
                  "finish a BLAKE2s digest");
  return digest;
}

Digest digest_of(Source& source) {
  Digester digester;
  Bytes buffer(kStreamBuffer);
  while (const std::size_t size = source.read(buffer)) digester.update(ByteView{buffer}.first(size));
  return digester.finish();
}

void ContentCheck::add(ByteView bytes) {
  if (bytes.size() > expected_size_ - size_) {
    fail(ErrorKind::corrupt, "expected {} bytes with digest {}, but more came", expected_size_, expected_.hex());
  }
  digester_.update(bytes);
  size_ += bytes.size();
}

void ContentCheck::require_match() {
  if (!actual_) actual_ = digester_.finish();
  if (size_ == expected_size_ && *actual_ == expected_) return;
  fail(ErrorKind::corrupt, "expected {} bytes with digest {}, got {} bytes with digest {}", expected_size_,
       expected_.hex(), size_, actual_->hex());
}

std::size_t VerifyingSource::read(MutableByteView buffer) {
  const std::size_t size = inner_.read(buffer);
  if (size > 0) check_.add(buffer.first(size));
  // As soon as the size is reached: a reader that knows it may never ask for the end.
  if (size == 0 || check_.has_expected_size()) check_.require_match();
  return size;
}

void VerifyingSink::write(ByteView bytes) {
  check_.add(bytes);
  inner_.write(bytes);
}

void VerifyingSink::finish() {
  check_.require_match();
  inner_.finish();
}

}  // namespace cherax::transform
