#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/stream.h"
#include "storage/object_store.h"
#include "transform/compress.h"
#include "transform/keys.h"

namespace cherax::repository {

/// Both keys as PEM.
struct EncryptionKeyPair {
  std::string public_key;
  std::string private_key;  ///< may be empty on a machine that only makes backups
};

struct CodecOptions {
  std::optional<transform::Compression> compression;  ///< of new objects
  std::optional<std::string> encryption_key_id;       ///< of new objects
  std::map<std::string, EncryptionKeyPair> encryption_keys;
};

/// How content becomes an object's bytes and back: compress, then encrypt. New objects are written as configured; old
/// ones are read as their own metadata says, so that a storage may mix them. Any thread.
class ObjectCodec {
 public:
  /// Error{invalid} for neither compression nor encryption (as Astacus), a level or key that cannot be, or an
  /// encryption_key_id without its key. The message repeats no key.
  explicit ObjectCodec(const CodecOptions& options);

  /// What new objects carry.
  const storage::Metadata& metadata() const { return metadata_; }

  /// The stored bytes of `plain`, which must outlive the stage.
  std::unique_ptr<Source> encode(Source& plain, std::optional<std::uint64_t> plain_size) const;

  /// Turns the stored bytes written to it into plain ones for `plain`, which must outlive the stage; decompression
  /// never gives more than `max_plain_size`. They must not be trusted before finish() returned. Error{invalid} for an
  /// algorithm, or a key id, that is not known here; corrupt bytes are found as transform/ says.
  std::unique_ptr<Sink> decode(Sink& plain, const storage::Metadata& metadata, std::uint64_t max_plain_size) const;

 private:
  const transform::PrivateKey& private_key(const std::string& id) const;

  std::optional<transform::Compression> compression_;
  std::optional<transform::PublicKey> public_key_;
  std::map<std::string, transform::PrivateKey> private_keys_;
  storage::Metadata metadata_;
};

}  // namespace cherax::repository
