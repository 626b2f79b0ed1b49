#include "http/client.h"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "http/transfer.h"

namespace cherax::http {

namespace {

constexpr std::size_t kMaximumWaiting = 10'000;
constexpr std::chrono::milliseconds kLongestPoll{1000};

struct CurlLibrary {
  CurlLibrary() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) fail(ErrorKind::internal, "curl_global_init failed");
  }
  ~CurlLibrary() { curl_global_cleanup(); }
  CurlLibrary(const CurlLibrary&) = delete;
  CurlLibrary& operator=(const CurlLibrary&) = delete;
};

struct CleanUp {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

}  // namespace

/// The thread moves transfers from arrived_ to waiting_ to active_ and completes them.
class Client::Impl {
 public:
  explicit Impl(ClientOptions options);
  ~Impl();

  std::future<Response> send(ClientRequest request);

 private:
  std::future<Result<Response>> submit(ClientRequest request);

  using Transfers = std::list<std::unique_ptr<Transfer>>;

  void run(std::stop_token stop);
  void take_arrived();
  void abandon_stopped(Transfers& transfers);
  void abandon_late();
  void start_waiting();
  /// Whether any transfer ended.
  bool complete_finished();
  void wait_for_something();
  std::unique_ptr<Transfer> remove(Transfers& transfers, Transfers::iterator position);
  void abandon(Transfers& transfers, Transfers::iterator position, ErrorKind kind, std::string_view why);
  void abandon_all();

  const ClientOptions options_;
  CurlLibrary library_;
  std::unique_ptr<CURLM, CleanUp> multi_;

  std::mutex mutex_;
  Transfers arrived_;          // guarded by mutex_
  std::size_t unstarted_ = 0;  // arrived or waiting; guarded by mutex_

  // The thread's own.
  Transfers waiting_;
  Transfers active_;
  std::map<std::string, std::size_t> active_per_host_;
  std::jthread thread_;
};

Client::Impl::Impl(ClientOptions options) : options_(std::move(options)), multi_(curl_multi_init()) {
  if (!multi_) fail(ErrorKind::internal, "curl_multi_init failed");
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options_.maximum_transfers));
  thread_ = std::jthread{[this](std::stop_token stop) { run(std::move(stop)); }};
}

Client::Impl::~Impl() {
  thread_.request_stop();
  curl_multi_wakeup(multi_.get());
  thread_.join();
}

std::future<Response> Client::Impl::send(ClientRequest request) {
  // The Error is thrown by the thread that asks for it, for which it has to cross threads as a value.
  return std::async(std::launch::deferred,
                    [outcome = submit(std::move(request))]() mutable { return outcome.get().value(); });
}

std::future<Result<Response>> Client::Impl::submit(ClientRequest request) {
  const auto refuse = [](const Error& error) {
    std::promise<Result<Response>> refused;
    refused.set_value(error);
    return refused.get_future();
  };
  std::unique_ptr<Transfer> transfer;
  try {
    transfer = std::make_unique<Transfer>(std::move(request), options_.spool_directory,
                                          [multi = multi_.get()] { curl_multi_wakeup(multi); });
  } catch (const Error& error) {
    return refuse(error);
  }
  auto outcome = transfer->outcome();
  {
    std::scoped_lock lock{mutex_};
    if (unstarted_ >= kMaximumWaiting) {
      return refuse(make_error(ErrorKind::throttled, "{} requests wait already; send fewer at a time", unstarted_));
    }
    ++unstarted_;
    arrived_.push_back(std::move(transfer));
  }
  curl_multi_wakeup(multi_.get());
  return outcome;
}

void Client::Impl::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    take_arrived();
    abandon_stopped(waiting_);
    abandon_stopped(active_);
    abandon_late();
    start_waiting();
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    if (!complete_finished()) wait_for_something();
  }
  abandon_all();
}

void Client::Impl::take_arrived() {
  std::scoped_lock lock{mutex_};
  waiting_.splice(waiting_.end(), arrived_);
  unstarted_ = waiting_.size();
}

void Client::Impl::abandon_stopped(Transfers& transfers) {
  for (auto next = transfers.begin(); next != transfers.end();) {
    const auto current = next++;
    if ((*current)->stop_requested()) abandon(transfers, current, ErrorKind::cancelled, "cancelled");
  }
}

void Client::Impl::abandon_late() {
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto current = next++;
    if (!(*current)->deadline().passed()) continue;
    abandon(waiting_, current, ErrorKind::transient, "not sent in time: too many other requests are under way");
  }
}

void Client::Impl::start_waiting() {
  for (auto next = waiting_.begin(); next != waiting_.end() && active_.size() < options_.maximum_transfers;) {
    const auto current = next++;
    const auto& host = (*current)->host();
    const auto under_way = active_per_host_.find(host);
    if (under_way != active_per_host_.end() && under_way->second >= options_.maximum_per_host) continue;
    try {
      const auto code = curl_multi_add_handle(multi_.get(), (*current)->prepare());
      if (code != CURLM_OK) fail(ErrorKind::internal, "curl: {}", curl_multi_strerror(code));
    } catch (...) {
      abandon(waiting_, current, ErrorKind::internal, error_from(std::current_exception()).message());
      continue;
    }
    ++active_per_host_[host];
    active_.splice(active_.end(), waiting_, current);
  }
}

bool Client::Impl::complete_finished() {
  bool any = false;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto code = message->data.result;
    const auto position =
        std::ranges::find(active_, message->easy_handle, [](const auto& transfer) { return transfer->handle(); });
    const auto transfer = remove(active_, position);
    transfer->complete(code);
    any = true;
  }
  return any;
}

void Client::Impl::wait_for_something() {
  auto longest = kLongestPoll;
  for (const auto& transfer : waiting_) longest = std::min(longest, transfer->deadline().remaining());
  curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(longest.count()), nullptr);
}

std::unique_ptr<Transfer> Client::Impl::remove(Transfers& transfers, Transfers::iterator position) {
  auto transfer = std::move(*position);
  transfers.erase(position);
  if (&transfers == &active_) {
    curl_multi_remove_handle(multi_.get(), transfer->handle());
    const auto host = active_per_host_.find(transfer->host());
    if (--host->second == 0) active_per_host_.erase(host);
  }
  return transfer;
}

void Client::Impl::abandon(Transfers& transfers, Transfers::iterator position, ErrorKind kind, std::string_view why) {
  const auto transfer = remove(transfers, position);
  transfer->abandon(kind, why);
}

void Client::Impl::abandon_all() {
  take_arrived();
  for (auto* transfers : {&waiting_, &active_}) {
    while (!transfers->empty()) abandon(*transfers, transfers->begin(), ErrorKind::cancelled, "the client ends");
  }
}

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;
std::future<Response> Client::send(ClientRequest request) { return impl_->send(std::move(request)); }

}  // namespace cherax::http
