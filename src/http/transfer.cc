#include "http/transfer.h"

#include <algorithm>

namespace cherax::http {

namespace {

constexpr std::size_t kHeaderLimit = 256 * 1024;
constexpr long kReceiveBuffer = 128 * 1024;
// Astacus and Cherax close an idle connection after 5 s. One that is about to be closed is not used again, because a
// request that is lost in that moment may or may not have been executed.
constexpr long kIdleSeconds = 4;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const auto code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    fail(ErrorKind::internal, "curl refuses option {}: {}", static_cast<int>(option), curl_easy_strerror(code));
  }
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos;
}

/// The authority of an http or https URL that curl can read; nullopt for any other text.
std::optional<std::string> host_of(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return std::nullopt;
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed{curl_url(), curl_url_cleanup};
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
  std::string host;
  for (const auto part : {CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::nullopt;
    host.append(host.empty() ? "" : ":").append(text);
    curl_free(text);
  }
  return host;
}

ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR:
      return ErrorKind::transient;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
      return ErrorKind::denied;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // the URL was checked before: bytes that are no HTTP/1
    case CURLE_BAD_CONTENT_ENCODING:
      return ErrorKind::corrupt;
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
      return ErrorKind::invalid;
    default:
      return ErrorKind::internal;
  }
}

std::string_view trim(std::string_view text) {
  static constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

Transfer::Transfer(ClientRequest request, const std::filesystem::path& spool_directory, std::function<void()> wake)
    : request_(std::move(request)),
      name_(fmt::format("{} {}", request_.method, without_secrets(request_.url))),
      spool_(spool_directory),
      on_stop_(request_.stop, std::move(wake)) {
  if (!is_token(request_.method)) fail(ErrorKind::invalid, "not an HTTP method: \"{}\"", request_.method);
  auto host = host_of(request_.url);
  if (!host) fail(ErrorKind::invalid, "{}: not an http or https URL", name_);
  host_ = *std::move(host);
  for (const auto& [header, value] : request_.headers) {
    if (!is_token(header) || has_line_break(value)) fail(ErrorKind::invalid, "{}: malformed header {}", name_, header);
  }
}

CURL* Transfer::prepare() {
  easy_.reset(curl_easy_init());
  if (!easy_) fail(ErrorKind::internal, "curl_easy_init failed");
  CURL* easy = easy_.get();
  set(easy, CURLOPT_PRIVATE, this);
  set(easy, CURLOPT_ERRORBUFFER, words_.data());
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_URL, request_.url.c_str());
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_NOPROXY, "*");
  set(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(easy, CURLOPT_MAXAGE_CONN, kIdleSeconds);
  // 0 means no limit to curl.
  set(easy, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(request_.deadline.remaining().count())));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, static_cast<long>(request_.connect_timeout.count())));
  set(easy, CURLOPT_FOLLOWLOCATION, request_.redirects == ClientRequest::Redirects::follow_one ? 1L : 0L);
  set(easy, CURLOPT_MAXREDIRS, 1L);
  prepare_body();
  prepare_callbacks();
  return easy;
}

void Transfer::prepare_body() {
  CURL* easy = easy_.get();
  const auto& method = request_.method;
  if (method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else {
    if (!request_.body.empty() || method == "POST" || method == "PUT") {
      set(easy, CURLOPT_UPLOAD, 1L);
      set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    }
    set(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  // What curl would add unasked.
  append_header("Accept:");
  append_header("Content-Type:");
  append_header("Expect:");
  for (const auto& [name, value] : request_.headers) append_header(value.empty() ? name + ";" : name + ": " + value);
  set(easy, CURLOPT_HTTPHEADER, headers_.get());
}

void Transfer::append_header(const std::string& line) {
  auto* longer = curl_slist_append(headers_.get(), line.c_str());
  if (!longer) fail(ErrorKind::internal, "out of memory for a header");
  (void)headers_.release();
  headers_.reset(longer);
}

void Transfer::prepare_callbacks() {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::header_callback);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::write_callback);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_READFUNCTION, &Transfer::read_callback);
  set(easy, CURLOPT_READDATA, this);
  set(easy, CURLOPT_SEEKFUNCTION, &Transfer::seek_callback);
  set(easy, CURLOPT_SEEKDATA, this);
}

void Transfer::complete(CURLcode code) {
  if (failure_) return promise_.set_value(*std::move(failure_));
  if (code != CURLE_OK) {
    return abandon(kind_of(code), words_[0] != '\0' ? words_.data() : curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  response_.body = spool_.take();
  promise_.set_value(std::move(response_));
}

void Transfer::abandon(ErrorKind kind, std::string_view why) {
  promise_.set_value(make_error(kind, "{}: {}", name_, why));
}

void Transfer::on_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kHeaderLimit) fail(ErrorKind::invalid, "{}: more than {} bytes of headers", name_, kHeaderLimit);
  // Of several heads (100 Continue, a redirect) the last is the answer's.
  if (line.starts_with("HTTP/")) {
    response_ = {.content_type = ""};
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name{trim(line.substr(0, colon))};
  std::string value{trim(line.substr(colon + 1))};
  if (equal_ignoring_case(name, "content-type")) response_.content_type = value;
  response_.headers.add(std::move(name), std::move(value));
}

void Transfer::on_data(ByteView bytes) {
  if (bytes.size() > request_.response_limit - spool_.size()) {
    fail(ErrorKind::invalid, "{}: an answer of more than {} bytes", name_, request_.response_limit);
  }
  spool_.write(bytes);
}

/// No exception may pass through curl.
template <class Work>
bool Transfer::guard(Work&& work) {
  try {
    work();
    return true;
  } catch (...) {
    failure_ = error_from(std::current_exception());
    return false;
  }
}

std::size_t Transfer::header_callback(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  return transfer.guard([&] { transfer.on_header({data, size * count}); }) ? size * count : 0;
}

std::size_t Transfer::write_callback(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  return transfer.guard([&] {
    transfer.on_data(as_bytes({data, size * count}));
  })
             ? size * count
             : CURL_WRITEFUNC_ERROR;
}

std::size_t Transfer::read_callback(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  std::size_t filled = 0;
  const bool good = transfer.guard([&] {
    if (!transfer.source_) transfer.source_ = transfer.request_.body.open();
    filled = transfer.source_->read(std::as_writable_bytes(std::span{data, size * count}));
  });
  return good ? filled : CURL_READFUNC_ABORT;
}

/// curl sends the body again: after a redirect, or when a kept connection turned out to be closed.
int Transfer::seek_callback(void* self, curl_off_t offset, int origin) {
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(self)->source_.reset();
  return CURL_SEEKFUNC_OK;
}

}  // namespace cherax::http
