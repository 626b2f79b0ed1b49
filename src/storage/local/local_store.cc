#include "storage/local/local_store.h"

#include <fcntl.h>
#include <openssl/evp.h>

#include "base/log.h"
#include "storage/local/key_path.h"
#include "storage/local/sidecar.h"
#include "storage/local/sorted_names.h"
#include "storage/local/staged_file.h"
#include "storage/local/store_lock.h"

namespace cherax::storage {

using namespace local;

namespace {

constexpr std::size_t kPageSize = 1000;
constexpr std::chrono::hours kAbandonedAfter{24};

/// Writes to a file and keeps the SHA-256 and the number of the bytes.
class HashingSink final : public Sink {
 public:
  HashingSink(File& file, const std::string& context) : file_(file), context_(context) {
    if (!hasher_ || EVP_DigestInit_ex(hasher_.get(), EVP_sha256(), nullptr) != 1) refuse();
  }
  void write(ByteView bytes) override {
    if (EVP_DigestUpdate(hasher_.get(), bytes.data(), bytes.size()) != 1) refuse();
    in_context(context_, [&] { file_.write(bytes); });
    size_ += bytes.size();
  }
  void finish() override {
    if (EVP_DigestFinal_ex(hasher_.get(), as_unsigned(MutableByteView{hash_}), nullptr) != 1) refuse();
    in_context(context_, [&] { file_.close(); });
  }
  std::string hash() const { return to_hex(hash_); }
  std::uint64_t size() const { return size_; }

 private:
  [[noreturn]] static void refuse() { fail(ErrorKind::internal, "OpenSSL cannot compute a SHA-256"); }

  File& file_;
  const std::string& context_;
  std::uint64_t size_ = 0;
  std::array<std::byte, 32> hash_{};
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hasher_{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

void create_folders(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail_errno(error.value(), fmt::format("creating {}", path.string()));
}

Timestamp modification_time(const struct ::stat& status) {
  return Timestamp{std::chrono::seconds{status.st_mtim.tv_sec} +
                   std::chrono::microseconds{status.st_mtim.tv_nsec / 1000}};
}

/// Error{not_found} when there is none.
Result<Sidecar> read_sidecar(const std::filesystem::path& object) {
  const auto path = sidecar_of(object);
  if (!status_of(path)) return make_error(ErrorKind::not_found, "no metadata file");
  try {
    return parse_sidecar(read_text(path, Sidecar::kLimit));
  } catch (const Error& error) {  // removed meanwhile, or far too large
    if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::invalid) throw;
    return error;
  }
}

/// The object's head, or nullopt for what counts as absent. Without the lock the two files may be of two puts.
std::optional<ObjectHead> read_head(const std::filesystem::path& object) {
  const auto status = status_of(object);
  if (!status || !S_ISREG(status->st_mode)) return std::nullopt;
  auto sidecar = read_sidecar(object);
  if (!sidecar) {
    if (sidecar.error().kind() != ErrorKind::not_found) {
      log::warning("{} counts as absent: {}", object.string(), sidecar.error().message());
    }
    return std::nullopt;
  }
  const auto size = static_cast<std::uint64_t>(status->st_size);
  if (sidecar->size.value_or(size) != size) return std::nullopt;
  return ObjectHead{.size = size, .modified = modification_time(*status), .metadata = std::move(sidecar->metadata)};
}

struct OpenObject {
  File file;
  ObjectHead head;
};

std::optional<OpenObject> open_object(const std::filesystem::path& root, const std::filesystem::path& object) {
  const auto lock = StoreLock::shared(root);
  auto head = read_head(object);
  if (!head) return std::nullopt;
  try {
    return OpenObject{.file = File{object, O_RDONLY}, .head = *std::move(head)};
  } catch (const Error& error) {  // Astacus removes without the lock
    if (error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

/// The walk of list() through the folders, in the order of the keys.
class Lister {
 public:
  Lister(const std::filesystem::path& root, const std::string& store, const std::string& prefix,
         const std::string& after, const ObjectStore::Page& page)
      : root_(root),
        context_(fmt::format("listing \"{}\" in {}", prefix, store)),
        prefix_(prefix),
        after_(after),
        page_(page) {}

  void run() {
    if (walk("")) flush();
  }

 private:
  /// `folder` is empty or ends in '/'. False when the pages are not wanted any more.
  bool walk(const std::string& folder) {
    SortedNames names{root_ / folder, [&](const std::string& name) { return may_matter(folder, name); }};
    while (const auto name = in_context(context_, [&] { return names.next(); })) {
      const bool go_on = name->ends_with('/') ? walk(folder + *name) : add(folder + *name);
      if (!go_on) return false;
    }
    return true;
  }

  bool may_matter(const std::string& folder, std::string_view name) const {
    const bool is_folder = name.ends_with('/');
    if (is_reserved_name(is_folder ? name.substr(0, name.size() - 1) : name)) return false;
    std::string key = folder;
    key += name;
    if (!is_folder) return key.starts_with(prefix_) && key > after_;
    return (key.starts_with(prefix_) || prefix_.starts_with(key)) && (key > after_ || after_.starts_with(key));
  }

  bool add(std::string key) {
    const auto head = in_context(context_, [&] { return head_of(key); });
    if (!head) return true;
    infos_.push_back({.key = {std::move(key)}, .size = head->size, .modified = head->modified});
    return infos_.size() < kPageSize || flush();
  }

  std::optional<ObjectHead> head_of(const std::string& key) const {
    if (auto head = read_head(root_ / key)) return head;
    // Perhaps only because another version is just being renamed into place.
    const auto lock = StoreLock::shared(root_);
    return read_head(root_ / key);
  }

  bool flush() {
    const bool go_on = infos_.empty() || page_(infos_);
    infos_.clear();
    return go_on;
  }

  const std::filesystem::path& root_;
  const std::string context_;
  const std::string& prefix_;
  const std::string& after_;
  const ObjectStore::Page& page_;
  std::vector<ObjectInfo> infos_;
};

}  // namespace

LocalStore::LocalStore(const LocalOptions& options) : root_(root_of(options.directory, options.prefix)) {}

std::string LocalStore::describe() const { return fmt::format("local:{}", root_.string()); }

std::string LocalStore::doing(std::string_view what, const ObjectKey& key) const {
  return fmt::format("{} {} in {}", what, key.text, describe());
}

std::uint64_t LocalStore::put(const ObjectKey& key, Source& source, const Metadata& metadata, PutMode mode) {
  const auto context = doing("storing", key);
  std::filesystem::path target;
  std::optional<StagedFile> object;
  const auto require_absent = [&] {
    if (mode == PutMode::if_absent && read_head(target)) fail(ErrorKind::already_exists, "it is there already");
  };
  in_context(context, [&] {
    target = path_of(root_, key);
    require_absent();
    create_folders(target.parent_path());
    object.emplace(root_);
  });
  HashingSink sink{object->file(), context};
  pump(source, sink);
  in_context(context, [&] {
    StagedFile sidecar{root_};
    sidecar.file().write(as_bytes(format_sidecar({.metadata = metadata, .hash = sink.hash(), .size = sink.size()})));
    sidecar.file().close();

    const auto lock = StoreLock::exclusive(root_);
    require_absent();
    // A crash between these leaves no object, never one with the metadata of another.
    remove_if_exists(target);
    sidecar.rename_to(sidecar_of(target));
    object->rename_to(target);
  });
  return sink.size();
}

bool LocalStore::get(const ObjectKey& key, ByteRange range, const OpenSink& open) {
  const auto context = doing("reading", key);
  const auto object = in_context(context, [&] { return open_object(root_, path_of(root_, key)); });
  if (!object) return false;
  Sink& sink = open(object->head);
  std::uint64_t offset = std::min(range.offset, object->head.size);
  const std::uint64_t rest = object->head.size - offset;
  const std::uint64_t end = offset + std::min(range.length.value_or(rest), rest);
  Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(kStreamBuffer, end - offset)));
  while (offset < end) {
    const auto piece = MutableByteView{buffer}.first(std::min<std::uint64_t>(buffer.size(), end - offset));
    const std::size_t size = in_context(context, [&] { return object->file.read_at(offset, piece); });
    if (size == 0) {
      fail(ErrorKind::corrupt, "{}: it ended after {} of {} bytes", context, offset, object->head.size);
    }
    sink.write(piece.first(size));
    offset += size;
  }
  sink.finish();
  return true;
}

std::optional<ObjectHead> LocalStore::head(const ObjectKey& key) {
  return in_context(doing("looking for", key), [&] {
    const auto path = path_of(root_, key);
    const auto lock = StoreLock::shared(root_);
    return read_head(path);
  });
}

void LocalStore::list(const std::string& prefix, const std::string& after, const Page& page) {
  Lister{root_, describe(), prefix, after, page}.run();
}

void LocalStore::remove(std::span<const ObjectKey> keys) {
  if (!status_of(root_)) return;
  for (const ObjectKey& key : keys) {
    in_context(doing("removing", key), [&] {
      const auto path = path_of(root_, key);
      const auto lock = StoreLock::exclusive(root_);
      remove_if_exists(sidecar_of(path));
      remove_if_exists(path);
    });
  }
}

void LocalStore::sync() {
  if (!status_of(root_)) return;
  in_context(fmt::format("syncing {}", describe()), [&] {
    sweep_staged_files(root_, kAbandonedAfter);
    sync_file_system(root_);
  });
}

}  // namespace cherax::storage
