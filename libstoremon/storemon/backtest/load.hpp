#pragma once

#include "storemon/backtest/fleet.hpp"
#include "storemon/model/error.hpp"

#include <cstdint>
#include <string>

namespace storemon::backtest {

/// What the feeds of a directory hold.
struct loaded_fleet {
  fleet stores;
  uint64_t polls = 0;    ///< distinct ones
  uint64_t rejected = 0; ///< lines of all feeds that break a rule
};

/// Reads the feeds of a directory as imports do (SEMANTICS section 1).
/// @returns errc::io_failed, errc::bad_feed or errc::invalid_argument as the feeds' readers do; errc::no_data
/// when they hold no poll.
result<loaded_fleet> load_fleet(const std::string& directory);

/// The truth beside a fleet.
struct loaded_truth {
  truth course;
  uint64_t strangers = 0; ///< rows of stores that the feeds do not name
};

/// Reads a truth as `storemon generate --truth` writes it: `store_id,from_utc,to_utc`, in any order. A store
/// without a row was never open for orders.
/// @returns errc::io_failed; errc::bad_feed naming the line of the first row that is none, or when there is
/// no row at all.
result<loaded_truth> load_truth(const std::string& file, const fleet& of);

} // namespace storemon::backtest
