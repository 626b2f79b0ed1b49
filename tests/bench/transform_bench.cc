// Bytes of plain content per second through each stage, and through the chains of an upload and of a restore.

#include <benchmark/benchmark.h>

#include "transform/compress.h"
#include "transform/crc32c.h"
#include "transform/digest.h"
#include "transform/seal.h"
#include "transform/testing.h"

namespace cherax::transform {
namespace {

constexpr std::size_t kContentSize = 32 << 20;

/// A third noise, two thirds repetition, changing every 1000 bytes: compresses to about a third.
const Bytes& content() {
  static const Bytes bytes = testing::sample_bytes(kContentSize, 1);
  return bytes;
}

class NullSink final : public Sink {
 public:
  void write(ByteView bytes) override { benchmark::DoNotOptimize(bytes.data()); }
  void finish() override {}
};

void drain(Source& source) {
  NullSink nowhere;
  pump(source, nowhere);
}

void count_content(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kContentSize));
}

void crc32c_of_content(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(content()));
  count_content(state);
}

void digest_of_content(benchmark::State& state) {
  for (auto _ : state) {
    MemorySource source(content());
    benchmark::DoNotOptimize(digest_of(source));
  }
  count_content(state);
}

void compress_content(benchmark::State& state, Compression compression) {
  for (auto _ : state) {
    MemorySource source(content());
    drain(*compress(source, compression, content().size()));
  }
  count_content(state);
}

void decompress_content(benchmark::State& state, Compression compression) {
  MemorySource plain(content());
  const Bytes stored = testing::drain(*compress(plain, compression, content().size()));
  for (auto _ : state) {
    NullSink nowhere;
    MemorySource source(stored);
    pump(source, *decompress(nowhere, compression.algorithm, content().size()));
  }
  count_content(state);
  state.counters["ratio"] = static_cast<double>(content().size()) / static_cast<double>(stored.size());
}

void seal_content(benchmark::State& state) {
  const PublicKey key = testing::public_key("rsa3072");
  for (auto _ : state) {
    MemorySource source(content());
    drain(*seal(source, key));
  }
  count_content(state);
}

void open_content(benchmark::State& state) {
  MemorySource plain(content());
  const Bytes stored = testing::drain(*seal(plain, testing::public_key("rsa3072")));
  const PrivateKey key = testing::private_key("rsa3072");
  for (auto _ : state) {
    NullSink nowhere;
    MemorySource source(stored);
    pump(source, *open(nowhere, key));
  }
  count_content(state);
}

/// What each object costs whatever its size: the RSA operation and the set-up of the stages.
void seal_one_byte(benchmark::State& state) {
  const PublicKey key = testing::public_key("rsa3072");
  for (auto _ : state) {
    MemorySource source(ByteView{content()}.first(1));
    drain(*seal(source, key));
  }
}

void open_one_byte(benchmark::State& state) {
  MemorySource plain(ByteView{content()}.first(1));
  const Bytes stored = testing::drain(*seal(plain, testing::public_key("rsa3072")));
  const PrivateKey key = testing::private_key("rsa3072");
  for (auto _ : state) {
    NullSink nowhere;
    MemorySource source(stored);
    pump(source, *open(nowhere, key));
  }
}

Digest content_digest() {
  MemorySource source(content());
  return digest_of(source);
}

void upload(benchmark::State& state) {
  const PublicKey key = testing::public_key("rsa3072");
  const Digest digest = content_digest();
  for (auto _ : state) {
    MemorySource source(content());
    VerifyingSource verified(source, digest, content().size());
    const auto compressed = compress(verified, {Algorithm::zstd, 0}, content().size());
    drain(*seal(*compressed, key));
  }
  count_content(state);
}

void restore(benchmark::State& state) {
  MemorySource plain(content());
  const auto compressed = compress(plain, {Algorithm::zstd, 0}, content().size());
  const Bytes stored = testing::drain(*seal(*compressed, testing::public_key("rsa3072")));
  const PrivateKey key = testing::private_key("rsa3072");
  const Digest digest = content_digest();
  for (auto _ : state) {
    NullSink nowhere;
    VerifyingSink verified(nowhere, digest, content().size());
    const auto decompressed = decompress(verified, Algorithm::zstd, content().size());
    MemorySource source(stored);
    pump(source, *open(*decompressed, key));
  }
  count_content(state);
}

BENCHMARK(crc32c_of_content);
BENCHMARK(digest_of_content);
BENCHMARK_CAPTURE(compress_content, zstd_3, Compression{Algorithm::zstd, 3});
BENCHMARK_CAPTURE(compress_content, zstd_1, Compression{Algorithm::zstd, 1});
BENCHMARK_CAPTURE(compress_content, snappy, Compression{Algorithm::snappy, 0});
BENCHMARK_CAPTURE(compress_content, lzma_0, Compression{Algorithm::lzma, 0});
BENCHMARK_CAPTURE(decompress_content, zstd_3, Compression{Algorithm::zstd, 3});
BENCHMARK_CAPTURE(decompress_content, snappy, Compression{Algorithm::snappy, 0});
BENCHMARK_CAPTURE(decompress_content, lzma_0, Compression{Algorithm::lzma, 0});
BENCHMARK(seal_content);
BENCHMARK(open_content);
BENCHMARK(seal_one_byte)->Unit(benchmark::kMicrosecond);
BENCHMARK(open_one_byte)->Unit(benchmark::kMicrosecond);
BENCHMARK(upload);
BENCHMARK(restore);

}  // namespace
}  // namespace cherax::transform
