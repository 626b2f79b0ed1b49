#include "app/all_stores.h"

#include "storage/local/local_store.h"

namespace cherax::app {

namespace {

template <class Store, class Options>
std::unique_ptr<storage::ObjectStore> make(json::Reader& reader, const json::value& section) {
  Options options;
  if (!reader.read(section, options)) return nullptr;
  try {
    return std::make_unique<Store>(options);
  } catch (const Error& error) {
    reader.add_problem(json::Problem::Kind::invalid_value, json::Problem::Type::other, error.message());
    return nullptr;
  }
}

}  // namespace

const std::map<std::string_view, StoreFactory>& all_stores() {
  static const std::map<std::string_view, StoreFactory> stores{
      {"local", make<storage::LocalStore, storage::LocalOptions>},
  };
  return stores;
}

}  // namespace cherax::app
