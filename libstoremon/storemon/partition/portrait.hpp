#pragma once

#include "storemon/estimate/measurer.hpp"
#include "storemon/partition/partition_data.hpp"
#include "storemon/protocol/portrait.hpp"

#include <string_view>

namespace storemon::partition {

/// The store that is asked about. Fails with not_found where there is none of that id, invalid_argument where
/// the spec has no window, or an estimator that weighs no behaviours.
result<const store*> store_asked_about(const partition_data& data, std::string_view id,
                                       const report_spec& spec);

/// How a store is as of the spec's "now", and what a report of that spec says of it. Fails as
/// store_asked_about.
result<protocol::store_portrait> portrait_of(const partition_data& data, std::string_view id,
                                             const report_spec& spec);

/// The hours in force on a local date: those of the newest version not later; without rows where there is
/// none.
protocol::hours_version hours_in_force(const store& s, std::chrono::local_days on);

} // namespace storemon::partition
