#include "repository/storages.h"

namespace cherax::repository {

Storages::Storages(const std::string& default_name,
                   std::map<std::string, std::unique_ptr<storage::ObjectStore>>&& stores, const CodecOptions& codec,
                   const std::filesystem::path& temporary_directory,
                   const std::optional<std::filesystem::path>& manifest_cache)
    : codec_(codec), default_name_(default_name) {
  for (auto& [name, store] : stores) {
    repositories_[name] = std::make_unique<Repository>(name, std::move(store), codec_,
                                                       ManifestsOptions{name, temporary_directory, manifest_cache});
  }
}

Repository& Storages::find(const std::string& name) const {
  const auto found = repositories_.find(name.empty() ? default_name_ : name);
  if (found != repositories_.end()) return *found->second;
  std::string names;
  for (const auto& [known, repository] : repositories_) names += fmt::format("{}{}", names.empty() ? "" : ", ", known);
  fail(ErrorKind::invalid, "no storage is called \"{}\"; the configuration has {}", name, names);
}

std::vector<Repository*> Storages::all() const {
  std::vector<Repository*> all;
  for (const auto& [name, repository] : repositories_) all.push_back(repository.get());
  return all;
}

}  // namespace cherax::repository
