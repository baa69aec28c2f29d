#pragma once

#include "storemon/partition/store.hpp"
#include "storemon/protocol/messages.hpp"

#include <string>
#include <string_view>

namespace storemon::node {

/// The header line of a feed as it is exported. Hours have a fifth column, `valid_from`, a date or empty for
/// hours that were in force since ever. All feeds of a state, imported in any order where nothing is, make
/// that state.
std::string_view feed_header(feed_kind feed);

/// Appends a store's lines of a feed: its polls ascending, of an instant polled with both statuses both; its
/// hours by date, day and time; its zone; its planned closures, ascending and apart from one another; what
/// stands where it was corrected, ascending; the store itself.
void append_feed_lines(feed_kind feed, const partition::store& s, std::string& to);

} // namespace storemon::node
