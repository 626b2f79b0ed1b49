#include "repository/blob_writer.h"

#include "repository/in_context.h"
#include "repository/layout.h"
#include "transform/digest.h"

namespace cherax::repository {

namespace {

/// Passes exactly `size` bytes on. The last of them, and an end of none, only after `require_unchanged`.
class UnchangedSource final : public Source {
 public:
  UnchangedSource(Source& inner, std::uint64_t size, const std::function<void()>& require_unchanged)
      : inner_(inner), size_(size), require_unchanged_(require_unchanged) {}

  std::size_t read(MutableByteView buffer) override {
    const std::size_t size = inner_.read(buffer);
    done_ += size;
    if (done_ > size_) fail(ErrorKind::corrupt, "it has more than the expected {} bytes", size_);
    if (size == 0 && done_ < size_) fail(ErrorKind::corrupt, "it ended after {} of {} bytes", done_, size_);
    if (done_ == size_) require_unchanged_();
    return size;
  }

 private:
  Source& inner_;
  std::uint64_t size_;
  const std::function<void()>& require_unchanged_;
  std::uint64_t done_ = 0;
};

}  // namespace

std::uint64_t BlobWriter::store(const Digest& digest, std::uint64_t size, Source& plain) {
  transform::VerifyingSource verified{plain, digest, size};
  return put(digest, size, verified);
}

std::uint64_t BlobWriter::store_immutable(const Digest& digest, std::uint64_t size, Source& plain,
                                          const std::function<void()>& require_unchanged) {
  UnchangedSource unchanged{plain, size, require_unchanged};
  return put(digest, size, unchanged);
}

std::uint64_t BlobWriter::put(const Digest& digest, std::uint64_t size, Source& checked) {
  const auto key = blob_key(digest);
  const auto encoded = codec_.encode(checked, size);
  SourceInContext source{*encoded, fmt::format("the content for {} in {}", key.text, store_.describe())};
  try {
    return store_.put(key, source, codec_.metadata(), storage::PutMode::if_absent);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::already_exists) throw;
    // Somebody else was faster; what is there was verified by them. Never replaced: an old manifest may name it.
    const auto head = store_.head(key);
    if (!head) throw;
    return head->size;
  }
}

}  // namespace cherax::repository
