#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

/// Numbers as people read them. Pure.
namespace cherax::cli {

/// Decimal units, as in Astacus: `999 B`, `20.2 KB`, `1.5 GB`.
std::string format_size(std::int64_t bytes);

/// Whole seconds without the parts that are zero, as in Astacus: `1d 2h 3m 4s`, `1h 4s`; empty below one second.
std::string format_duration(std::chrono::seconds duration);

/// How long something took: `0.4 s`, `12.0 s`, from one minute on `1m 4s`.
std::string format_elapsed(Duration elapsed);

/// An estimate, which is no more exact than it can be: by the second below one minute, by ten seconds below ten
/// minutes, by the minute above; rounded up.
std::string format_estimate(std::chrono::seconds left);

}  // namespace cherax::cli
