#include "http/message.h"

#include <algorithm>

#include "base/ascii.h"

namespace cherax::http {

namespace {

/// Reads shared content with a position of its own.
template <class Content, class ReadAt>
class SharedSource final : public Source {
 public:
  SharedSource(std::shared_ptr<const Content> content, ReadAt read_at)
      : content_(std::move(content)), read_at_(std::move(read_at)) {}

  std::size_t read(MutableByteView buffer) override {
    const std::size_t size = read_at_(*content_, position_, buffer);
    position_ += size;
    return size;
  }

 private:
  std::shared_ptr<const Content> content_;
  ReadAt read_at_;
  std::uint64_t position_ = 0;
};

}  // namespace

Body::Body(std::string text)
    : content_(std::make_shared<const std::variant<std::string, Spooled>>(std::in_place_type<std::string>,
                                                                          std::move(text))) {}

Body::Body(File file) {
  const std::uint64_t size = file.size();
  content_ = std::make_shared<const std::variant<std::string, Spooled>>(Spooled{std::move(file), size});
}

std::uint64_t Body::size() const {
  if (!content_) return 0;
  if (const auto text = in_memory()) return text->size();
  return std::get<Spooled>(*content_).size;
}

std::unique_ptr<Source> Body::open() const {
  if (!content_) return std::make_unique<MemorySource>(ByteView{});
  using Content = std::variant<std::string, Spooled>;
  const auto read_at = [](const Content& content, std::uint64_t position, MutableByteView buffer) -> std::size_t {
    if (const auto* text = std::get_if<std::string>(&content)) {
      const auto rest = as_bytes(*text).subspan(position);
      const auto size = std::min(rest.size(), buffer.size());
      std::ranges::copy(rest.first(size), buffer.begin());
      return size;
    }
    return std::get<Spooled>(content).file.read_at(position, buffer);
  };
  return std::make_unique<SharedSource<Content, decltype(read_at)>>(content_, read_at);
}

std::string Body::text(std::size_t limit) const {
  if (size() > limit) fail(ErrorKind::invalid, "a body of {} bytes, more than the {} it may have", size(), limit);
  if (const auto text = in_memory()) return std::string{*text};
  std::string text(size(), '\0');
  const auto source = open();
  const auto filled = read_full(*source, std::as_writable_bytes(std::span{text}));
  if (filled != text.size()) {
    fail(ErrorKind::internal, "a spooled body ends after {} of {} bytes: its file was cut", filled, text.size());
  }
  return text;
}

std::optional<std::string_view> Body::in_memory() const {
  if (!content_) return std::string_view{};
  if (const auto* text = std::get_if<std::string>(content_.get())) return *text;
  return std::nullopt;
}

BodySpool::BodySpool(std::filesystem::path directory, std::size_t threshold)
    : directory_(std::move(directory)), threshold_(threshold) {}

void BodySpool::write(ByteView bytes) {
  if (stays_in_memory(bytes.size())) {
    memory_.append(as_text(bytes));
  } else {
    if (!file_.is_open()) {
      file_ = in_context("spooling a body", [&] { return File::temporary(directory_); });
      file_.write(as_bytes(std::exchange(memory_, {})));
    }
    file_.write(bytes);
  }
  size_ += bytes.size();
}

Body BodySpool::take() {
  size_ = 0;
  if (file_.is_open()) return Body{std::exchange(file_, {})};
  return Body{std::exchange(memory_, {})};
}

const std::string* Headers::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (equal_ignoring_case(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields_, [&](const auto& field) { return equal_ignoring_case(field.name, name); }));
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return lower_case(c); };
  return std::ranges::equal(left, right, {}, lower, lower);
}

void Request::set_target(std::string_view sent) {
  target = sent;
  // A proxy's form, which every server has to take: http://host/path
  if (const auto scheme = sent.find("://"); sent.starts_with("http") && scheme != std::string_view::npos) {
    const auto path_start = sent.find_first_of("/?", scheme + 3);
    sent = path_start == std::string_view::npos ? "/" : sent.substr(path_start);
  }
  sent = sent.substr(0, sent.find('#'));
  const auto encoded_path = sent.substr(0, sent.find('?'));
  path = percent_decode(encoded_path);
  query = parse_query(sent.substr(std::min(encoded_path.size() + 1, sent.size())));
}

Response Response::json(std::string text, int status) { return {.status = status, .body = Body{std::move(text)}}; }

Response Response::plain_text(std::string text, int status) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = Body{std::move(text)}};
}

}  // namespace cherax::http
