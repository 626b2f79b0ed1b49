#include <algorithm>

#include "coordinator/coordinator.h"
#include "http/json_body.h"
#include "repository/summary.h"

namespace cherax::coordinator {

namespace {

/// Astacus takes the storage as a bare JSON string in the body; its own command line sends a query, which counts here.
std::string storage_asked_for(const http::Request& request) {
  if (const std::string* storage = http::find(request.query, "storage")) return *storage;
  if (request.body.empty()) return {};
  const auto body = json::parse(request.body.text(http::kBodyInMemory));
  return body && body->is_string() ? std::string{body->get_string()} : std::string{};
}

}  // namespace

http::Response Coordinator::list(const http::Request& request) {
  const std::string storage = storage_asked_for(request);
  std::vector<repository::Repository*> storages;
  try {
    storages = storage.empty() ? storages_.all() : std::vector{&storages_.find(storage)};
  } catch (const Error& error) {
    http::refuse(422, json::value(error.message()));
  }
  const std::unique_lock computing{list_mutex_, std::try_to_lock};
  if (!computing) http::refuse(429, "Already caching list result");
  api::ListResponse response;
  for (repository::Repository* one : storages) response.storages.push_back(summarize(*one));
  return http::json_response(response);
}

api::StorageList Coordinator::summarize(repository::Repository& storage) {
  api::StorageList list{storage.name(), {}, {}};
  std::map<repository::BackupName, api::ListEntry> known = std::exchange(summaries_[storage.name()], {});
  for (const auto& name : storage.manifests().list()) {
    if (name.kind() != repository::BackupName::Kind::backup) continue;
    try {
      auto entry = known.contains(name) ? known.at(name) : repository::summarize(name, storage.manifests().open(name));
      summaries_[storage.name()].emplace(name, entry);
      list.backups.push_back(std::move(entry));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::not_found) continue;  // deleted meanwhile
      if (error.kind() == ErrorKind::transient || error.kind() == ErrorKind::throttled) throw;
      list.unreadable.push_back({std::string{name.short_name()}, error.message()});  // it must not hide the others
    }
  }
  return list;
}

}  // namespace cherax::coordinator
