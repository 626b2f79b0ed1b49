#include "transform/lzma.h"

#include <lzma.h>

#include "transform/stage.h"

namespace cherax::transform {

namespace {

/// Twice what preset 9, the largest that Astacus can be configured to, needs.
constexpr std::uint64_t kDecoderMemory = 128 << 20;
constexpr int kMaxPreset = 9;

struct LzmaStream {
  LzmaStream() = default;
  ~LzmaStream() { lzma_end(&raw); }
  LzmaStream(const LzmaStream&) = delete;
  LzmaStream& operator=(const LzmaStream&) = delete;

  lzma_stream raw = LZMA_STREAM_INIT;
};

class LzmaSource final : public Source {
 public:
  LzmaSource(Source& plain, int level) : plain_(plain), buffer_(kStreamBuffer) {
    const lzma_ret result = lzma_easy_encoder(&stream_.raw, static_cast<std::uint32_t>(level), LZMA_CHECK_CRC64);
    if (result != LZMA_OK)
      fail(ErrorKind::internal, "lzma compression at preset {} did not start: liblzma code {}", level,
           static_cast<int>(result));
  }

  std::size_t read(MutableByteView buffer) override {
    lzma_stream& stream = stream_.raw;
    stream.next_out = as_unsigned(buffer);
    stream.avail_out = buffer.size();
    while (stream.avail_out == buffer.size() && !stream_complete_) {
      if (stream.avail_in == 0 && !plain_ended_) {
        stream.next_in = as_unsigned(ByteView{buffer_});
        stream.avail_in = plain_.read(buffer_);
        plain_ended_ = stream.avail_in == 0;
      }
      const lzma_ret result = lzma_code(&stream, plain_ended_ ? LZMA_FINISH : LZMA_RUN);
      if (result != LZMA_OK && result != LZMA_STREAM_END) {
        fail(ErrorKind::internal, "lzma compression failed: liblzma code {}", static_cast<int>(result));
      }
      stream_complete_ = result == LZMA_STREAM_END;
    }
    return buffer.size() - stream.avail_out;
  }

 private:
  Source& plain_;
  Bytes buffer_;
  LzmaStream stream_;
  bool plain_ended_ = false;
  bool stream_complete_ = false;
};

[[noreturn]] void fail_decompression(lzma_ret result) {
  const auto words = [result]() -> std::string {
    switch (result) {
      case LZMA_FORMAT_ERROR:
        return "where an .xz stream should start is none";
      case LZMA_OPTIONS_ERROR:
        return "the .xz stream uses options that liblzma does not know";
      case LZMA_DATA_ERROR:
        return "the .xz stream is damaged";
      case LZMA_BUF_ERROR:
        return "the input is cut off";
      case LZMA_MEMLIMIT_ERROR:
        return fmt::format("the .xz stream asks for more than {} MiB", kDecoderMemory >> 20);
      default:
        return "";
    }
  }();
  if (words.empty()) fail(ErrorKind::internal, "lzma decompression failed: liblzma code {}", static_cast<int>(result));
  fail(ErrorKind::corrupt, "lzma decompression failed: {}", words);
}

class LzmaSink final : public Sink {
 public:
  LzmaSink(Sink& plain, std::uint64_t max_plain_size) : plain_(plain, max_plain_size), buffer_(kStreamBuffer) {
    const lzma_ret result = lzma_stream_decoder(&stream_.raw, kDecoderMemory, LZMA_CONCATENATED);
    if (result != LZMA_OK) fail_decompression(result);
  }

  void write(ByteView bytes) override {
    stream_.raw.next_in = as_unsigned(bytes);
    stream_.raw.avail_in = bytes.size();
    while (stream_.raw.avail_in > 0) step(LZMA_RUN);
  }

  void finish() override {
    while (step(LZMA_FINISH) != LZMA_STREAM_END) {
    }
    plain_.finish();
  }

 private:
  lzma_ret step(lzma_action action) {
    stream_.raw.next_out = as_unsigned(MutableByteView{buffer_});
    stream_.raw.avail_out = buffer_.size();
    const lzma_ret result = lzma_code(&stream_.raw, action);
    if (result != LZMA_OK && result != LZMA_STREAM_END) fail_decompression(result);
    plain_.write(ByteView{buffer_}.first(buffer_.size() - stream_.raw.avail_out));
    return result;
  }

  CappedSink plain_;
  Bytes buffer_;
  LzmaStream stream_;
};

}  // namespace

LevelRange lzma_levels() { return {0, kMaxPreset}; }

std::unique_ptr<Source> compress_lzma(Source& plain, int level) { return std::make_unique<LzmaSource>(plain, level); }

std::unique_ptr<Sink> decompress_lzma(Sink& plain, std::uint64_t max_plain_size) {
  return std::make_unique<LzmaSink>(plain, max_plain_size);
}

}  // namespace cherax::transform
