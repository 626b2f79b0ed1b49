#pragma once

#include <memory>

#include "base/stream.h"
#include "transform/keys.h"

namespace cherax::transform {

/// The `pghoa1` format of Astacus' storage (docs/format.md): each object has keys of its own, wrapped by RSA-OAEP, then
/// AES-128-CTR, then an HMAC-SHA-256 over the ciphertext. Either stage needs 0.3 MiB, whatever the size of the content.

/// The sealed bytes of `plain`, which must outlive the stage. No bytes give no bytes.
std::unique_ptr<Source> seal(Source& plain, const PublicKey& key);

/// Opens the sealed bytes that are written to it into `plain`, which must outlive the stage, and finishes that. Plain
/// bytes are passed on before the HMAC at the end can be checked: they must not be trusted until finish() returned.
/// Error{denied}: the key does not unwrap the object's keys. Error{corrupt}: no sealed object, cut off, or changed.
/// No bytes give no bytes: whether that is right, only the digest behind can tell.
std::unique_ptr<Sink> open(Sink& plain, const PrivateKey& key);

}  // namespace cherax::transform
