// Every decompressor on hostile bytes: it ends, gives no more than the cap, and fails with Error{corrupt} only. Half of
// the inputs are compressed first and then overwritten in places, so that the fuzzer gets past headers and checksums.

#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstdlib>

#include "transform/compress.h"
#include "transform/testing.h"

namespace {

using namespace cherax;
using namespace cherax::transform;

constexpr std::array kAlgorithms{Algorithm::zstd, Algorithm::snappy, Algorithm::lzma};
constexpr std::uint64_t kCap = 1 << 20;

class CheckingSink final : public Sink {
 public:
  void write(ByteView bytes) override {
    size_ += bytes.size();
    if (size_ > kCap) std::abort();
  }
  void finish() override {}

 private:
  std::uint64_t size_ = 0;
};

Bytes remaining(FuzzedDataProvider& input) {
  const auto bytes = input.ConsumeRemainingBytes<std::uint8_t>();
  const ByteView view = std::as_bytes(std::span{bytes});
  return {view.begin(), view.end()};
}

Bytes compressed_then_overwritten(FuzzedDataProvider& input, Algorithm algorithm) {
  const auto changes = input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(0, 8) * 3);
  const Bytes plain = remaining(input);
  MemorySource source(plain);
  Bytes bytes = testing::drain(*compress(source, {algorithm, 0}, {}));
  for (std::size_t i = 0; i + 2 < changes.size(); i += 3) {
    bytes[(changes[i] << 8U | changes[i + 1]) % bytes.size()] = std::byte{changes[i + 2]};
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const Algorithm algorithm = input.PickValueInArray(kAlgorithms);
  const testing::Chunks chunks{input.ConsumeIntegralInRange<std::size_t>(1, 4096)};
  const bool compress_first = input.ConsumeBool();
  const Bytes bytes = compress_first ? compressed_then_overwritten(input, algorithm) : remaining(input);
  CheckingSink plain;
  try {
    testing::feed(*decompress(plain, algorithm, kCap), bytes, chunks);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) std::abort();
  }
  return 0;
}
