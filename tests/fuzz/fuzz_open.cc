// Opening hostile bytes: a sealed object that was changed, cut off or lengthened gives an Error{corrupt} or {denied},
// and never other bytes than the sealed ones. Half of the inputs are raw bytes, the others are edits of an object that
// Astacus sealed (so that runs are repeatable: sealing one here would draw new keys each time).

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>

#include "transform/digest.h"
#include "transform/seal.h"
#include "transform/testing.h"

namespace {

using namespace cherax;
using namespace cherax::transform;

constexpr std::size_t kCap = 1 << 20;

const PrivateKey& key() {
  static const PrivateKey key = testing::private_key("rsa1024");
  return key;
}

Bytes opened(ByteView bytes, const testing::Chunks& chunks) {
  MemorySink plain(kCap);
  testing::feed(*open(plain, key()), bytes, chunks);
  return plain.bytes();
}

/// The smallest object of the sample; the shortest RSA key makes the fastest runs.
Bytes smallest_object() {
  std::optional<std::filesystem::path> smallest;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::vectors() / "golden/snappy-enc/storage-x/data")) {
    if (entry.path().extension() == ".metadata") continue;
    const auto order = [](const std::filesystem::path& path) { return std::pair(file_size(path), path); };
    if (!smallest || order(entry.path()) < order(*smallest)) smallest = entry.path();
  }
  return testing::read_bytes(smallest.value());
}

Bytes edited(FuzzedDataProvider& input, Bytes object) {
  while (input.remaining_bytes() > 0) {
    const auto offset = input.ConsumeIntegralInRange<std::size_t>(0, object.size());
    const auto position = object.begin() + static_cast<std::ptrdiff_t>(offset);
    const auto byte = std::byte{input.ConsumeIntegral<std::uint8_t>()};
    switch (input.ConsumeIntegralInRange<int>(0, 2)) {
      case 0:
        if (offset < object.size()) *position ^= byte;
        break;
      case 1:
        object.insert(position, byte);
        break;
      default:
        object.erase(position, object.end());
    }
  }
  return object;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Bytes object = smallest_object();
  static const Bytes plain = opened(object, {});
  FuzzedDataProvider input(data, size);
  const testing::Chunks chunks{input.ConsumeIntegralInRange<std::size_t>(1, 256)};
  const bool raw = input.ConsumeBool();
  Bytes bytes;
  if (raw) {
    const auto rest = input.ConsumeRemainingBytes<std::uint8_t>();
    const ByteView view = std::as_bytes(std::span{rest});
    bytes.assign(view.begin(), view.end());
  } else {
    bytes = edited(input, object);
  }
  try {
    const Bytes result = opened(bytes, chunks);
    // Nothing opens to nothing: only the digest behind can object to that.
    if (!(bytes.empty() && result.empty()) && !(bytes == object && result == plain)) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::denied) std::abort();
  }
  return 0;
}
