#include "repository/manifest.h"

#include <exception>

#include "base/json_stream.h"

namespace cherax::repository {

namespace {

class OpenFileSource final : public Source {
 public:
  explicit OpenFileSource(const File& file) : file_(file) {}
  std::size_t read(MutableByteView buffer) override {
    const std::size_t size = file_.read_at(offset_, buffer);
    offset_ += size;
    return size;
  }

 private:
  const File& file_;
  std::uint64_t offset_ = 0;
};

/// Astacus may be told to embed files of any size.
constexpr json::StreamLimits kLimits{.element = 64 << 20, .rest = 64 << 20};

/// Carries what a visitor threw past the code that judges the manifest.
struct VisitorThrew {
  std::exception_ptr exception;
};

template <class Visit, class Element>
void call_visitor(const Visit& visit, std::size_t node, const Element& element) {
  try {
    visit(node, element);
  } catch (...) {
    throw VisitorThrew{std::current_exception()};
  }
}

void check(const api::SnapshotFile& file) {
  const bool embedded = file.content_b64.has_value();
  if (embedded != file.hexdigest.empty()) {
    fail(ErrorKind::corrupt, "it has {} a digest and a content", embedded ? "both" : "neither");
  }
  if (!embedded) {
    Digest::from_hex(file.hexdigest).value();
  } else if (const auto content = from_base64(*file.content_b64).value(); content.size() != file.file_size) {
    fail(ErrorKind::corrupt, "it has {} bytes of content and a size of {}", content.size(), file.file_size);
  }
}

template <class Element>
json::OnElement deliver_to(const std::function<void(std::size_t, const Element&)>& visit) {
  return [&visit](const json::Indices& indices, const json::value& in) {
    if (!visit) return;
    const std::size_t node = indices.front();
    const auto element = in_context(fmt::format("snapshot_results[{}], entry {}", node, indices.back()), [&] {
      auto read = json::read<Element>(in).value();
      if constexpr (std::same_as<Element, api::SnapshotFile>) check(read);
      return read;
    });
    call_visitor(visit, node, element);
  };
}

}  // namespace

Manifest SpooledManifest::read(const ManifestVisitor& visitor) const {
  OpenFileSource source{text_};
  try {
    const auto rest = json::parse_stream(source,
                                         {{"snapshot_results.*.state.files", deliver_to(visitor.file)},
                                          {"snapshot_results.*.hashes", deliver_to(visitor.hash)}},
                                         kLimits);
    return json::read<Manifest>(rest).value();
  } catch (const VisitorThrew& threw) {
    std::rethrow_exception(threw.exception);
  } catch (const Error& error) {
    const bool of_the_text = error.kind() == ErrorKind::invalid;
    throw Error{of_the_text ? ErrorKind::corrupt : error.kind(), error.message()}.in_context(where_);
  }
}

std::unique_ptr<Source> SpooledManifest::text() const { return std::make_unique<OpenFileSource>(text_); }

}  // namespace cherax::repository
