#include "repository/object_codec.h"

#include "transform/seal.h"

namespace cherax::repository {

namespace {

constexpr const char* kCompressionAlgorithm = "compression-algorithm";
constexpr const char* kEncryptionKeyId = "encryption-key-id";

class Encoder final : public Source {
 public:
  Encoder(Source& plain, const std::optional<transform::Compression>& compression,
          const std::optional<transform::PublicKey>& key, std::optional<std::uint64_t> plain_size) {
    if (compression) compressed_ = transform::compress(plain, *compression, plain_size);
    Source& inner = compressed_ ? *compressed_ : plain;
    if (key) sealed_ = transform::seal(inner, *key);
  }
  std::size_t read(MutableByteView buffer) override { return (sealed_ ? *sealed_ : *compressed_).read(buffer); }

 private:
  std::unique_ptr<Source> compressed_;
  std::unique_ptr<Source> sealed_;
};

class Decoder final : public Sink {
 public:
  explicit Decoder(Sink& plain) : first_(&plain) {}

  void decompress(transform::Algorithm algorithm, std::uint64_t max_plain_size) {
    decompressed_ = transform::decompress(*first_, algorithm, max_plain_size);
    first_ = decompressed_.get();
  }
  void open(const transform::PrivateKey& key) {
    opened_ = transform::open(*first_, key);
    first_ = opened_.get();
  }

  void write(ByteView bytes) override { first_->write(bytes); }
  void finish() override { first_->finish(); }

 private:
  Sink* first_;
  std::unique_ptr<Sink> decompressed_;
  std::unique_ptr<Sink> opened_;
};

const std::string* find(const storage::Metadata& metadata, const char* key) {
  const auto at = metadata.find(key);
  return at == metadata.end() ? nullptr : &at->second;
}

}  // namespace

ObjectCodec::ObjectCodec(const CodecOptions& options) : compression_(options.compression) {
  if (!options.compression && !options.encryption_key_id) {
    fail(ErrorKind::invalid, "object_storage has neither compression nor encryption_key_id: configure at least one");
  }
  if (compression_) {
    transform::require_valid(*compression_);
    metadata_[kCompressionAlgorithm] = transform::to_string(compression_->algorithm);
  }
  for (const auto& [id, pair] : options.encryption_keys) {
    in_context(fmt::format("encryption_keys.{}", id), [&] {
      auto public_key = transform::PublicKey::from_pem(pair.public_key).value();
      if (options.encryption_key_id == id) public_key_ = std::move(public_key);
      if (!pair.private_key.empty()) {
        private_keys_.emplace(id, transform::PrivateKey::from_pem(pair.private_key).value());
      }
    });
  }
  if (options.encryption_key_id) {
    if (!public_key_) {
      fail(ErrorKind::invalid, "encryption_key_id is \"{}\", but encryption_keys has no such key",
           *options.encryption_key_id);
    }
    metadata_[kEncryptionKeyId] = *options.encryption_key_id;
  }
}

std::unique_ptr<Source> ObjectCodec::encode(Source& plain, std::optional<std::uint64_t> plain_size) const {
  return std::make_unique<Encoder>(plain, compression_, public_key_, plain_size);
}

std::unique_ptr<Sink> ObjectCodec::decode(Sink& plain, const storage::Metadata& metadata,
                                          std::uint64_t max_plain_size) const {
  auto decoder = std::make_unique<Decoder>(plain);
  if (const auto* algorithm = find(metadata, kCompressionAlgorithm)) {
    decoder->decompress(transform::parse_algorithm(*algorithm).value(), max_plain_size);
  }
  if (const auto* id = find(metadata, kEncryptionKeyId)) decoder->open(private_key(*id));
  return decoder;
}

const transform::PrivateKey& ObjectCodec::private_key(const std::string& id) const {
  const auto at = private_keys_.find(id);
  if (at == private_keys_.end()) {
    fail(ErrorKind::invalid,
         "it is encrypted with the key \"{}\", but the configuration's encryption_keys has no private key of that id",
         id);
  }
  return at->second;
}

}  // namespace cherax::repository
