#include "repository/blob_reader.h"

#include "repository/in_context.h"
#include "repository/layout.h"
#include "transform/digest.h"

namespace cherax::repository {

void BlobReader::fetch(const Digest& digest, std::uint64_t size, Sink& plain) {
  const auto key = blob_key(digest);
  const auto context = fmt::format("{} in {}", key.text, store_.describe());
  transform::VerifyingSink verified{plain, digest, size};
  std::unique_ptr<Sink> decoded;
  std::optional<SinkInContext> sink;
  const bool found = store_.get(key, {}, [&](const storage::ObjectHead& head) -> Sink& {
    decoded = in_context(context, [&] { return codec_.decode(verified, head.metadata, size); });
    return sink.emplace(*decoded, context);
  });
  if (!found) {
    fail(ErrorKind::not_found, "{} is missing: the backups that name it cannot be restored as a whole", context);
  }
}

}  // namespace cherax::repository
