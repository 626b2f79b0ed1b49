#include "transform/zstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "transform/stage.h"

namespace cherax::transform {

namespace {

constexpr int kMaxWindowLog = 27;

struct ZstdFree {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

std::size_t checked_compression(std::size_t result) {
  if (ZSTD_isError(result) == 0) return result;
  if (ZSTD_getErrorCode(result) == ZSTD_error_srcSize_wrong) {
    fail(ErrorKind::corrupt, "the content to compress has not the size that was announced: it changed meanwhile");
  }
  fail(ErrorKind::internal, "zstd compression failed: {}", ZSTD_getErrorName(result));
}

std::size_t checked_decompression(std::size_t result) {
  if (ZSTD_isError(result) == 0) return result;
  const bool out_of_memory = ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation;
  fail(out_of_memory ? ErrorKind::internal : ErrorKind::corrupt, "zstd decompression failed: {}",
       ZSTD_getErrorName(result));
}

class ZstdSource final : public Source {
 public:
  ZstdSource(Source& plain, int level, std::optional<std::uint64_t> plain_size)
      : plain_(plain), context_(ZSTD_createCCtx()), buffer_(kStreamBuffer) {
    if (!context_) fail(ErrorKind::internal, "no memory for zstd compression");
    checked_compression(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    checked_compression(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
    if (plain_size) checked_compression(ZSTD_CCtx_setPledgedSrcSize(context_.get(), *plain_size));
  }

  std::size_t read(MutableByteView buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0 && !frame_complete_) {
      if (in_.pos == in_.size && !plain_ended_) {
        in_ = {buffer_.data(), plain_.read(buffer_), 0};
        plain_ended_ = in_.size == 0;
      }
      const ZSTD_EndDirective directive = plain_ended_ ? ZSTD_e_end : ZSTD_e_continue;
      const std::size_t unflushed = checked_compression(ZSTD_compressStream2(context_.get(), &out, &in_, directive));
      frame_complete_ = plain_ended_ && unflushed == 0;
    }
    return out.pos;
  }

 private:
  Source& plain_;
  std::unique_ptr<ZSTD_CCtx, ZstdFree> context_;
  Bytes buffer_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool plain_ended_ = false;
  bool frame_complete_ = false;
};

class ZstdSink final : public Sink {
 public:
  ZstdSink(Sink& plain, std::uint64_t max_plain_size)
      : plain_(plain, max_plain_size), context_(ZSTD_createDCtx()), buffer_(kStreamBuffer) {
    if (!context_) fail(ErrorKind::internal, "no memory for zstd decompression");
    checked_decompression(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog));
  }

  void write(ByteView bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool output_pending = false;
    while (in.pos < in.size || output_pending) {
      if (!in_frame_) require_frame_start(bytes[in.pos]);
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      in_frame_ = checked_decompression(ZSTD_decompressStream(context_.get(), &out, &in)) != 0;
      plain_.write(ByteView{buffer_}.first(out.pos));
      output_pending = in_frame_ && out.pos == out.size;
      any_frame_ = true;
    }
  }

  void finish() override {
    if (in_frame_ || !any_frame_) fail(ErrorKind::corrupt, "zstd decompression failed: the input is cut off");
    plain_.finish();
  }

 private:
  /// The library may be built with decoders for zstd's formats before 1.0, which are no place to send hostile bytes.
  /// The first byte tells those from a frame of today (0x28) and from a skippable one (0x50 to 0x5f).
  static void require_frame_start(std::byte first) {
    if (first == std::byte{0x28} || (first & std::byte{0xf0}) == std::byte{0x50}) return;
    fail(ErrorKind::corrupt, "zstd decompression failed: where a frame should start is none");
  }

  CappedSink plain_;
  std::unique_ptr<ZSTD_DCtx, ZstdFree> context_;
  Bytes buffer_;
  bool in_frame_ = false;
  bool any_frame_ = false;
};

}  // namespace

LevelRange zstd_levels() { return {ZSTD_minCLevel(), ZSTD_maxCLevel()}; }

std::unique_ptr<Source> compress_zstd(Source& plain, int level, std::optional<std::uint64_t> plain_size) {
  return std::make_unique<ZstdSource>(plain, level, plain_size);
}

std::unique_ptr<Sink> decompress_zstd(Sink& plain, std::uint64_t max_plain_size) {
  return std::make_unique<ZstdSink>(plain, max_plain_size);
}

}  // namespace cherax::transform
