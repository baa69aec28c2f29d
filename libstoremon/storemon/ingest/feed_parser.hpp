#pragma once

#include "storemon/ingest/poll_line.hpp"
#include "storemon/ingest/records.hpp"
#include "storemon/ingest/router.hpp"
#include "storemon/ingest/rows.hpp"

#include <variant>

namespace storemon::ingest {

/// What a chunk held. `rows + rejected.total()` is the number of its records.
struct chunk_summary {
  uint64_t rows = 0;
  uint64_t lines =
      0; ///< physical lines, blank ones included: what the line numbers of later chunks begin after
  rejects rejected; ///< line numbers count from 1 at the chunk's first line
};

/// Turns chunks of one feed into batches of updates: the importer calls parse() with chunk after chunk and
/// flush() at the end. Several parsers may each take some chunks of the same status feed; what they emit
/// together is the same as one would have. The other feeds are for one parser alone, see hours_router. Not
/// for several threads at once. Corrections become observation_rows under the rule replace, the rows of the
/// stores feed observation_rows that only name stores.
/// @tparam Emit is called as `emit(uint32_t partition, Batch&&)` with observation_rows, hours_rows, zone_rows
/// or closure_change, within parse() and flush(); a parameter of type storemon::update takes them all.
template <class Emit>
class feed_parser {
public:
  /// @param latest  an observation after it is rejected as in_the_future
  feed_parser(const layout& where, const router_options& options, Emit emit, instant latest = instant::max())
      : where_(where), plain_(where.column == std::array<uint32_t, 4>{0, 1, 2, 0} && where.fields_min == 3),
        latest_(latest), router_(make_router(where.kind, options, std::move(emit))) {}

  /// Parses a chunk made of whole records, without the header.
  chunk_summary parse(std::string_view chunk) {
    return std::visit([&](auto& to) { return parse_into(to, chunk); }, router_);
  }

  /// Emits what is not yet a full batch.
  void flush() {
    std::visit([](auto& to) { to.flush(); }, router_);
  }

private:
  using status_router = dictionary_router<observation_rows, observation, Emit>;
  using hours_feed_router = hours_router<Emit>;
  using zones_router = zone_router<Emit>;
  using closures_router = closure_router<Emit>;
  using held_rows_router = held_router<Emit>; ///< of corrections and of stores
  using router =
      std::variant<status_router, hours_feed_router, zones_router, closures_router, held_rows_router>;

  static router make_router(feed_kind kind, const router_options& options, Emit emit) {
    switch (kind) {
    case feed_kind::hours:
      return router(std::in_place_type<hours_feed_router>, options, std::move(emit));
    case feed_kind::timezones:
      return router(std::in_place_type<zones_router>, options, std::move(emit));
    case feed_kind::closures:
      return router(std::in_place_type<closures_router>, options, std::move(emit));
    case feed_kind::corrections:
      return router(std::in_place_type<held_rows_router>, options, conflict_rule::replace, std::move(emit));
    case feed_kind::stores:
      return router(std::in_place_type<held_rows_router>, options, conflict_rule::inactive_wins,
                    std::move(emit));
    case feed_kind::status:
      break;
    }
    return router(std::in_place_type<status_router>, options, std::move(emit));
  }

  /// Reads plain lines until one is declined.
  /// @returns how many.
  uint64_t take_plain_lines(record_reader& records, status_router& to) {
    uint64_t rows = 0;
    if (!plain_)
      return rows;
    status_row row;
    for (auto rest = records.rest(); rest.size() >= poll_line::bytes_needed; rest = records.rest()) {
      const auto bytes = poll_line::read(rest.data(), timestamps_, row);
      if (bytes == 0 || row.seen.at() > latest_)
        break;
      records.pass_line(bytes);
      to.add(row.store, row.seen);
      ++rows;
    }
    return rows;
  }

  template <class Router>
  uint64_t take_plain_lines(record_reader&, Router&) {
    return 0;
  }

  std::optional<reject_reason> take(std::span<const std::string_view> fields, status_router& to) {
    status_row row;
    const auto why = read_row(where_, fields, timestamps_, latest_, row);
    if (!why)
      to.add(row.store, row.seen);
    return why;
  }

  std::optional<reject_reason> take(std::span<const std::string_view> fields, hours_feed_router& to) {
    store_hours_row row;
    const auto why = read_row(where_, fields, row);
    if (!why)
      to.add(row);
    return why;
  }

  std::optional<reject_reason> take(std::span<const std::string_view> fields, zones_router& to) {
    zone_row row;
    const auto why = read_row(where_, fields, row);
    if (!why)
      to.add(row.store, row.zone);
    return why;
  }

  std::optional<reject_reason> take(std::span<const std::string_view> fields, closures_router& to) {
    closure_row row;
    const auto why = read_row(where_, fields, timestamps_, row);
    if (!why)
      to.add(row);
    return why;
  }

  std::optional<reject_reason> take(std::span<const std::string_view> fields, held_rows_router& to) {
    if (where_.kind == feed_kind::stores) {
      store_row row;
      const auto why = read_row(where_, fields, row);
      if (!why)
        to.add(row.store);
      return why;
    }
    status_row row;
    const auto why = read_row(where_, fields, timestamps_, latest_, row);
    if (!why)
      to.add(row.store, row.seen);
    return why;
  }

  template <class Router>
  chunk_summary parse_into(Router& to, std::string_view chunk) {
    chunk_summary summary;
    record_reader records(chunk, where_.fields_min);
    for (;;) {
      summary.rows += take_plain_lines(records, to);
      if (!records.next())
        break;
      const auto why = records.broken() ? std::optional(records.reason()) : take(records.fields(), to);
      if (why)
        summary.rejected.add(records.line(), *why, records.text());
      else
        ++summary.rows;
    }
    to.drain();
    summary.lines = records.lines();
    return summary;
  }

  layout where_;
  bool plain_; ///< whether the columns are those that poll_line reads
  instant latest_;
  timestamp_reader timestamps_;
  router router_;
};

} // namespace storemon::ingest
