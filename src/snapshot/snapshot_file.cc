#include "snapshot/snapshot_file.h"

#include "api/messages.h"

namespace cherax::snapshot {

SnapshotFile from_message(const api::SnapshotFile& file) {
  SnapshotFile out{file.relative_path, file.file_size, file.mtime_ns, {}, file.allocated_size};
  if (file.content_b64)
    out.body = from_base64(*file.content_b64).value();
  else
    out.body = Digest::from_hex(file.hexdigest).value();
  return out;
}

}  // namespace cherax::snapshot
