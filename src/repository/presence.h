#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "base/digest.h"
#include "storage/object_store.h"

/// Which contents a store has. What is known about each content stays the caller's: nothing is kept here.
namespace cherax::repository {

/// The caller's digests, by index: `at` must be cheap and callable from any thread.
struct DigestList {
  std::size_t count = 0;
  std::function<Digest(std::size_t index)> at;
};

/// A content that the store has, and when it was stored there: cleanup takes an old one when no manifest names it, so a
/// backup looks again at those that are older than half of gc_grace just before its manifest is put. Calls come one at
/// a time, each index at most once, from any thread.
using OnPresent = std::function<void(std::size_t index, Timestamp modified)>;

struct PresenceOptions {
  std::size_t parallel = 16;  ///< requests at a time, when asking one by one
  std::stop_token stop;       ///< ends it with Error{cancelled}
};

/// As many requests as one page of a listing has objects cost about as much as listing a million.
inline constexpr std::size_t kListFrom = 1000;

/// `digests` are sorted and distinct. Up to kListFrom of them are asked for one by one, more are looked up in one pass
/// over the listing of `data/`, from the first to the last of them.
void find_present(storage::ObjectStore& store, const DigestList& digests, const OnPresent& on_present,
                  const PresenceOptions& options = {});

/// By one request for each, whatever their number and order: what a listing said may be old.
void find_present_one_by_one(storage::ObjectStore& store, const DigestList& digests, const OnPresent& on_present,
                             const PresenceOptions& options = {});

}  // namespace cherax::repository
