#include "transform/snappy.h"

#include <snappy.h>

#include <array>

#include "transform/crc32c.h"
#include "transform/stage.h"

namespace cherax::transform {

namespace {

// A chunk is one byte of type, three of length (little-endian, of what follows), and its body.
constexpr std::size_t kHeaderSize = 4;
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kMaxPlainChunk = 65536;

enum ChunkType : std::uint8_t {
  kCompressed = 0x00,
  kUncompressed = 0x01,
  kFirstSkippable =
      0x80,  // up to 0xfd; 0xfe is padding, skipped as well. Between this and kUncompressed: not skippable.
  kStreamIdentifier = 0xff,
};

constexpr std::string_view kIdentifier = "sNaPpY";

std::uint32_t masked_checksum(ByteView plain) {
  const std::uint32_t crc = crc32c(plain);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

void put_little_endian(MutableByteView target, std::uint32_t value) {
  for (std::byte& byte : target) {
    byte = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
}

std::uint32_t get_little_endian(ByteView bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

class SnappySource final : public StagedSource {
 public:
  explicit SnappySource(Source& plain) : plain_(plain), buffer_(kMaxPlainChunk) {}

 private:
  void refill() override {
    if (!identified_) {
      identified_ = true;
      stage_chunk(kStreamIdentifier, as_bytes(kIdentifier));
      return;
    }
    if (const std::size_t size = read_full(plain_, buffer_)) stage_content(ByteView{buffer_}.first(size));
  }

  void stage_content(ByteView plain) {
    compressed_.resize(kChecksumSize + snappy::MaxCompressedLength(plain.size()));
    std::size_t size = 0;
    snappy::RawCompress(as_text(plain).data(), plain.size(),
                        reinterpret_cast<char*>(compressed_.data() + kChecksumSize), &size);
    const bool worth_it = size < plain.size() - plain.size() / 8;
    if (worth_it) {
      compressed_.resize(kChecksumSize + size);
    } else {
      compressed_.resize(kChecksumSize);
      compressed_.insert(compressed_.end(), plain.begin(), plain.end());
    }
    put_little_endian(MutableByteView{compressed_}.first(kChecksumSize), masked_checksum(plain));
    stage_chunk(worth_it ? kCompressed : kUncompressed, compressed_);
  }

  void stage_chunk(ChunkType type, ByteView body) {
    staged_.resize(kHeaderSize);
    staged_[0] = std::byte{type};
    put_little_endian(MutableByteView{staged_}.subspan(1), static_cast<std::uint32_t>(body.size()));
    staged_.insert(staged_.end(), body.begin(), body.end());
  }

  Source& plain_;
  Bytes buffer_;
  Bytes compressed_;
  bool identified_ = false;
};

class SnappySink final : public Sink {
 public:
  SnappySink(Sink& plain, std::uint64_t max_plain_size) : plain_(plain, max_plain_size), buffer_(kMaxPlainChunk) {
    chunk_.reserve(kHeaderSize + kChecksumSize + snappy::MaxCompressedLength(kMaxPlainChunk));
  }

  void write(ByteView bytes) override {
    while (!bytes.empty()) bytes = bytes.subspan(skip_ > 0 ? skip(bytes) : collect(bytes));
  }

  void finish() override {
    if (!chunk_.empty() || skip_ > 0) refuse("the input is cut off");
    plain_.finish();
  }

 private:
  template <class... Args>
  [[noreturn]] static void refuse(fmt::format_string<Args...> format, Args&&... args) {
    fail(ErrorKind::corrupt, "snappy decompression failed: {}", fmt::format(format, std::forward<Args>(args)...));
  }

  std::size_t skip(ByteView bytes) {
    const std::size_t size = std::min(bytes.size(), skip_);
    skip_ -= size;
    return size;
  }

  /// Adds to the header, then to the body, and decodes the chunk once it is whole. Returns how many bytes it took.
  std::size_t collect(ByteView bytes) {
    const bool in_header = chunk_.size() < kHeaderSize;
    const std::size_t wanted = (in_header ? kHeaderSize : kHeaderSize + body_size()) - chunk_.size();
    const ByteView taken = bytes.first(std::min(wanted, bytes.size()));
    chunk_.insert(chunk_.end(), taken.begin(), taken.end());
    if (taken.size() == wanted) in_header ? start_chunk() : finish_chunk();
    return taken.size();
  }

  std::uint8_t type() const { return std::to_integer<std::uint8_t>(chunk_[0]); }
  std::size_t body_size() const { return get_little_endian(ByteView{chunk_}.subspan(1, 3)); }
  ByteView body() const { return ByteView{chunk_}.subspan(kHeaderSize); }

  /// Refuses what cannot be right before any of the body is kept, so that a chunk needs no more than what was reserved.
  void start_chunk() {
    const std::size_t size = body_size();
    if (!identified_ && type() != kStreamIdentifier) refuse("it does not start with a stream identifier");
    switch (type()) {
      case kCompressed:
        require_size(size, kChecksumSize + 1, kChecksumSize + snappy::MaxCompressedLength(kMaxPlainChunk));
        break;
      case kUncompressed:
        require_size(size, kChecksumSize, kChecksumSize + kMaxPlainChunk);
        break;
      case kStreamIdentifier:
        require_size(size, kIdentifier.size(), kIdentifier.size());
        break;
      default:
        if (type() < kFirstSkippable) refuse("a chunk of the unknown type {:#04x}, which must not be skipped", type());
        skip_ = size;
        chunk_.clear();
    }
  }

  static void require_size(std::size_t size, std::size_t lowest, std::size_t highest) {
    if (size < lowest || size > highest)
      refuse("a chunk of {} bytes where {} to {} are possible", size, lowest, highest);
  }

  void finish_chunk() {
    switch (type()) {
      case kCompressed:
        deliver(uncompressed());
        break;
      case kUncompressed:
        deliver(body().subspan(kChecksumSize));
        break;
      default:
        if (as_text(body()) != kIdentifier) refuse("the stream identifier is not \"{}\"", kIdentifier);
        identified_ = true;
    }
    chunk_.clear();
  }

  ByteView uncompressed() {
    const std::string_view compressed = as_text(body().subspan(kChecksumSize));
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(compressed.data(), compressed.size(), &size) || size > kMaxPlainChunk ||
        !snappy::RawUncompress(compressed.data(), compressed.size(), reinterpret_cast<char*>(buffer_.data()))) {
      refuse("a compressed chunk is damaged");
    }
    return ByteView{buffer_}.first(size);
  }

  void deliver(ByteView plain) {
    if (masked_checksum(plain) != get_little_endian(body().first(kChecksumSize)))
      refuse("the checksum of a chunk differs");
    plain_.write(plain);
  }

  CappedSink plain_;
  Bytes buffer_;
  Bytes chunk_;  // header and body of the current one, as far as it came
  std::size_t skip_ = 0;
  bool identified_ = false;
};

}  // namespace

std::unique_ptr<Source> compress_snappy(Source& plain) { return std::make_unique<SnappySource>(plain); }

std::unique_ptr<Sink> decompress_snappy(Sink& plain, std::uint64_t max_plain_size) {
  return std::make_unique<SnappySink>(plain, max_plain_size);
}

}  // namespace cherax::transform
