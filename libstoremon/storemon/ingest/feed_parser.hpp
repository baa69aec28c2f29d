#pragma once

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
/// flush() at the end. Several parsers may each take some chunks of the same file; what they emit together is
/// the same as one would have. Not for several threads at once.
/// @tparam Emit is called as `emit(uint32_t partition, Batch&&)` with observation_rows, hours_rows or
/// zone_rows, within parse() and flush(); a parameter of type storemon::update takes them all.
template <class Emit>
class feed_parser {
public:
  feed_parser(const layout& where, const router_options& options, Emit emit)
      : where_(where), router_(make_router(where.kind, options, std::move(emit))) {}

  /// Parses a chunk made of whole records, without the header.
  chunk_summary parse(std::string_view chunk) {
    return std::visit([&](auto& to) { return parse_into(to, chunk); }, router_);
  }

  /// Emits what is not yet a full batch.
  void flush() {
    std::visit([](auto& to) { to.flush(); }, router_);
  }

private:
  using status_router = dictionary_router<observation_rows, Emit>;
  using hours_router = dictionary_router<hours_rows, Emit>;
  using zones_router = zone_router<Emit>;
  using router = std::variant<status_router, hours_router, zones_router>;

  static router make_router(feed kind, const router_options& options, Emit emit) {
    switch (kind) {
    case feed::hours:
      return router(std::in_place_type<hours_router>, options, std::move(emit));
    case feed::zones:
      return router(std::in_place_type<zones_router>, options, std::move(emit));
    case feed::status:
      break;
    }
    return router(std::in_place_type<status_router>, options, std::move(emit));
  }

  static status_row row_for(const status_router&) { return {}; }

  static store_hours_row row_for(const hours_router&) { return {}; }

  static zone_row row_for(const zones_router&) { return {}; }

  static void add(status_router& to, const status_row& row) { to.add(row.store, row.seen); }

  static void add(hours_router& to, const store_hours_row& row) { to.add(row.store, row.row); }

  static void add(zones_router& to, const zone_row& row) { to.add(row.store, row.zone); }

  template <class Router>
  chunk_summary parse_into(Router& to, std::string_view chunk) {
    chunk_summary summary;
    record_reader record(chunk, where_.fields_min);
    auto row = row_for(to);
    while (record.next()) {
      const std::optional<reject_reason> why =
          record.broken() ? record.reason() : read_row(where_, record.fields(), row);
      if (why) {
        summary.rejected.add(record.line(), *why, record.text());
        continue;
      }
      add(to, row);
      ++summary.rows;
    }
    summary.lines = record.lines();
    return summary;
  }

  layout where_;
  router router_;
};

} // namespace storemon::ingest
