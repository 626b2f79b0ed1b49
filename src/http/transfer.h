#pragma once

#include <curl/curl.h>

#include <array>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "http/client.h"

namespace cherax::http {

/// One request of a Client with its curl handle, from send() to the answer. Only the Client's thread touches it, but
/// for the construction.
class Transfer {
 public:
  /// `wake` is called from any thread when the request is to stop. Error{invalid} for a request that cannot be sent.
  Transfer(ClientRequest request, const std::filesystem::path& spool_directory, std::function<void()> wake);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  std::future<Result<Response>> outcome() { return promise_.get_future(); }
  const Deadline& deadline() const { return request_.deadline; }
  bool stop_requested() const { return request_.stop.stop_requested(); }
  /// "host:port", what a limit per host counts by.
  const std::string& host() const { return host_; }

  /// The handle, ready for curl_multi_add_handle; its private pointer is this.
  CURL* prepare();
  CURL* handle() const { return easy_.get(); }

  /// curl is done with it.
  void complete(CURLcode code);
  /// Ends it with an Error of that kind. `why` completes "GET http://host/path: …".
  void abandon(ErrorKind kind, std::string_view why);

 private:
  void prepare_body();
  void prepare_callbacks();
  void append_header(const std::string& line);

  void on_header(std::string_view line);
  void on_data(ByteView bytes);
  template <class Work>
  bool guard(Work&& work);

  static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t write_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t read_callback(char* data, std::size_t size, std::size_t count, void* self);
  static int seek_callback(void* self, curl_off_t offset, int origin);

  struct Free {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  ClientRequest request_;
  std::string name_;  // method and URL, for messages
  std::string host_;
  std::promise<Result<Response>> promise_;
  std::unique_ptr<curl_slist, Free> headers_;
  std::array<char, CURL_ERROR_SIZE> words_{};
  std::unique_ptr<Source> source_;
  BodySpool spool_;
  std::size_t header_bytes_ = 0;
  Response response_;
  std::optional<Error> failure_;  // of a callback: says more than curl's code for it
  std::unique_ptr<CURL, Free> easy_;
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace cherax::http
