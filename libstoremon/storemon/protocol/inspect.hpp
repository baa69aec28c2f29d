#pragma once

#include "storemon/model/report.hpp"
#include "storemon/model/update.hpp"
#include "storemon/protocol/messages.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

/// How values travel between nodes: only integers and blocks of bytes, never a double (CAF 0.17 loops for
/// ever on infinity). What arrives is checked, so that a malformed message is an error and not a wild read.
namespace storemon::protocol {

static_assert(std::endian::native == std::endian::little,
              "columns travel as blocks of little-endian integers");

inline caf::error malformed(const char* what) {
  return caf::make_error(caf::sec::invalid_argument, std::string("malformed message: ") + what);
}

template <class T>
std::string to_block(const std::vector<T>& values) {
  static_assert(std::has_unique_object_representations_v<T>, "padding must not travel");
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
caf::error from_block(const std::string& block, std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (block.size() % sizeof(T) != 0)
    return malformed("a block is not a whole number of values");
  values.resize(block.size() / sizeof(T));
  if (!block.empty())
    std::memcpy(static_cast<void*>(values.data()), block.data(), block.size());
  return caf::none;
}

/// Sends a value as the parts `save` makes of it; `load` puts them back and says what is wrong with them.
template <class Inspector, class Load, class... Parts>
auto inspect_as(Inspector& f, const char* name, Load load, Parts&... parts) {
  auto checked = [&]() -> caf::error { return load(); };
  return f(caf::meta::type_name(name), parts..., caf::meta::load_callback(checked));
}

inline int64_t to_wire(instant at) {
  return at.time_since_epoch().count();
}

inline instant from_wire(int64_t us) {
  return instant(duration(us));
}

/// No instant is sent as the smallest number.
inline int64_t to_wire(const std::optional<instant>& at) {
  return at ? to_wire(*at) : std::numeric_limits<int64_t>::min();
}

inline std::optional<instant> optional_from_wire(int64_t us) {
  if (us == std::numeric_limits<int64_t>::min())
    return std::nullopt;
  return from_wire(us);
}

template <class Inspector>
auto inspect(Inspector& f, census& x) {
  auto newest = to_wire(x.newest);
  return inspect_as(
      f, "census",
      [&] {
        x.newest = optional_from_wire(newest);
        return caf::error();
      },
      x.stores, x.observations, newest, x.damaged);
}

template <class Inspector>
auto inspect(Inspector& f, loaded& x) {
  return f(caf::meta::type_name("loaded"), x.stores, x.observations, x.state_hash, x.damage);
}

template <class Inspector>
auto inspect(Inspector& f, fit_order& x) {
  auto as_of = to_wire(x.as_of);
  return inspect_as(
      f, "fit_order",
      [&] {
        x.as_of = from_wire(as_of);
        return caf::error();
      },
      x.fit, as_of, x.after);
}

template <class Inspector>
auto inspect(Inspector& f, fit_slice& x) {
  return f(caf::meta::type_name("fit_slice"), x.through, x.last, x.stores, x.observations);
}

template <class Inspector>
auto inspect(Inspector& f, replay_cursor& x) {
  return f(caf::meta::type_name("replay_cursor"), x.chunk, x.seq);
}

template <class Inspector>
auto inspect(Inspector& f, opening& x) {
  return f(caf::meta::type_name("opening"), x.epoch, x.next_seq);
}

template <class Inspector>
auto inspect(Inspector& f, data_quality& x) {
  auto oldest = to_wire(x.oldest);
  auto newest = to_wire(x.newest);
  return inspect_as(
      f, "data_quality",
      [&] {
        x.oldest = optional_from_wire(oldest);
        x.newest = optional_from_wire(newest);
        return caf::error();
      },
      x.stores, x.observations, x.conflicts, x.without_hours, x.without_zone, x.unknown_zone, x.never_polled,
      x.only_polled, oldest, newest, x.polled_minutes);
}

} // namespace storemon::protocol

namespace storemon {

template <class Inspector>
auto inspect(Inspector& f, text_list& x) {
  auto ends = protocol::to_block(x.ends());
  return protocol::inspect_as(
      f, "text_list",
      [&] {
        if (auto e = protocol::from_block(ends, x.ends()))
          return e;
        return x.well_formed() ? caf::error()
                               : protocol::malformed("the ends of texts do not fit their bytes");
      },
      x.bytes(), ends);
}

template <class Inspector>
auto inspect(Inspector& f, applied& x) {
  return f(caf::meta::type_name("applied"), x.accepted, x.duplicates, x.conflicts);
}

namespace wire {

inline caf::error check_rows(const text_list& stores, const std::vector<uint32_t>& store, size_t rows) {
  if (store.size() != rows)
    return protocol::malformed("as many stores as rows are needed");
  for (const auto index : store)
    if (index >= stores.size())
      return protocol::malformed("a row names no store");
  return {};
}

} // namespace wire

template <class Inspector>
auto inspect(Inspector& f, observation_rows& x) {
  auto store = protocol::to_block(x.store);
  std::string seen(reinterpret_cast<const char*>(x.seen.data()), x.seen.size() * sizeof(observation));
  auto rule = static_cast<uint8_t>(x.rule);
  return protocol::inspect_as(
      f, "observation_rows",
      [&] {
        if (rule > static_cast<uint8_t>(conflict_rule::keep))
          return protocol::malformed("unknown rule of conflicts");
        x.rule = static_cast<conflict_rule>(rule);
        if (auto e = protocol::from_block(store, x.store))
          return e;
        if (auto e = protocol::from_block(seen, x.seen))
          return e;
        return wire::check_rows(x.stores, x.store, x.seen.size());
      },
      x.stores, store, seen, rule);
}

namespace wire {

/// Hours as three integers a row.
inline std::string hours_to_block(const std::vector<hours_row>& rows) {
  std::vector<int64_t> flat;
  flat.reserve(rows.size() * 3);
  for (const auto& row : rows)
    flat.insert(flat.end(), {row.day, row.start.count(), row.end.count()});
  return protocol::to_block(flat);
}

inline caf::error hours_from_block(const std::string& block, std::vector<hours_row>& rows) {
  std::vector<int64_t> flat;
  if (auto e = protocol::from_block(block, flat))
    return e;
  if (flat.size() % 3 != 0)
    return protocol::malformed("hours come in threes");
  constexpr int64_t day_length = duration(std::chrono::hours(24)).count();
  rows.clear();
  for (size_t i = 0; i < flat.size(); i += 3) {
    if (flat[i] < 0 || flat[i] > 6 || flat[i + 1] < 0 || flat[i + 1] >= day_length || flat[i + 2] < 0 ||
        flat[i + 2] > day_length)
      return protocol::malformed("hours out of range");
    rows.push_back({duration(flat[i + 1]), duration(flat[i + 2]), static_cast<uint8_t>(flat[i])});
  }
  return {};
}

inline int64_t date_to_wire(std::chrono::local_days date) {
  return date.time_since_epoch().count();
}

inline std::chrono::local_days date_from_wire(int64_t days) {
  return std::chrono::local_days(std::chrono::days(days));
}

} // namespace wire

template <class Inspector>
auto inspect(Inspector& f, hours_rows& x) {
  auto rows = storemon::wire::hours_to_block(x.rows);
  auto store = protocol::to_block(x.store);
  auto valid_from = storemon::wire::date_to_wire(x.valid_from);
  return protocol::inspect_as(
      f, "hours_rows",
      [&] {
        x.valid_from = storemon::wire::date_from_wire(valid_from);
        if (auto e = protocol::from_block(store, x.store))
          return e;
        if (auto e = storemon::wire::hours_from_block(rows, x.rows))
          return e;
        return wire::check_rows(x.stores, x.store, x.rows.size());
      },
      valid_from, x.stores, store, rows);
}

template <class Inspector>
auto inspect(Inspector& f, zone_rows& x) {
  return protocol::inspect_as(
      f, "zone_rows",
      [&] {
        return x.stores.size() == x.zones.size() ? caf::error()
                                                 : protocol::malformed("as many zones as stores are needed");
      },
      x.stores, x.zones);
}

template <class Inspector>
auto inspect(Inspector& f, interval& x) {
  auto from = protocol::to_wire(x.from);
  auto to = protocol::to_wire(x.to);
  return protocol::inspect_as(
      f, "interval",
      [&] {
        x = {protocol::from_wire(from), protocol::from_wire(to)};
        return caf::error();
      },
      from, to);
}

template <class Inspector>
auto inspect(Inspector& f, closure_change& x) {
  return f(caf::meta::type_name("closure_change"), x.store, x.span, x.withdrawn);
}

template <class Inspector>
auto inspect(Inspector& f, store_deletion& x) {
  return f(caf::meta::type_name("store_deletion"), x.store);
}

template <class Inspector>
auto inspect(Inspector& f, batch_mark& x) {
  return f(caf::meta::type_name("batch_mark"), x.key[0], x.key[1], x.body[0], x.body[1]);
}

template <class Inspector>
auto inspect(Inspector& f, remembered_batch& x) {
  auto written = protocol::to_wire(x.written);
  return protocol::inspect_as(
      f, "remembered_batch",
      [&] {
        x.written = protocol::from_wire(written);
        return caf::error();
      },
      x.mark, written, x.done);
}

template <class Inspector>
auto inspect(Inspector& f, batch_memory& x) {
  return f(caf::meta::type_name("batch_memory"), x.batches);
}

/// CAF 0.17 knows no std::variant: all alternatives travel, those not meant empty.
template <class Inspector>
auto inspect(Inspector& f, update& x) {
  auto kind = static_cast<uint8_t>(x.index());
  observation_rows no_observations;
  hours_rows no_hours;
  zone_rows no_zones;
  closure_change no_closure;
  store_deletion no_deletion;
  batch_memory no_memory;
  const auto held = [&x]<class T>(T& none) -> T& {
    auto* value = std::get_if<T>(&x);
    return value ? *value : none;
  };
  auto& observations = held(no_observations);
  auto& hours = held(no_hours);
  auto& zones = held(no_zones);
  auto& closure = held(no_closure);
  auto& deletion = held(no_deletion);
  auto& memory = held(no_memory);
  return protocol::inspect_as(
      f, "update",
      [&]() -> caf::error {
        switch (kind) {
        case 0:
          return {}; // loaded in place: a fresh update holds observations
        case 1:
          x = std::move(no_hours);
          return {};
        case 2:
          x = std::move(no_zones);
          return {};
        case 3:
          x = std::move(no_closure);
          return {};
        case 4:
          x = std::move(no_deletion);
          return {};
        case 5:
          x = std::move(no_memory);
          return {};
        default:
          return protocol::malformed("unknown kind of update");
        }
      },
      kind, observations, hours, zones, closure, deletion, memory);
}

template <class Inspector>
auto inspect(Inspector& f, journal_entry& x) {
  auto written = protocol::to_wire(x.written);
  return protocol::inspect_as(
      f, "journal_entry",
      [&] {
        x.written = protocol::from_wire(written);
        return caf::error();
      },
      x.change, x.mark, written);
}

namespace wire {

/// Doubles as the integers of their bits.
inline std::string weights_to_block(const std::array<double, behaviour_classes>& weights) {
  std::vector<uint64_t> bits;
  for (const auto w : weights)
    bits.push_back(std::bit_cast<uint64_t>(w));
  return protocol::to_block(bits);
}

inline caf::error weights_from_block(const std::string& block,
                                     std::array<double, behaviour_classes>& weights) {
  std::vector<uint64_t> bits;
  if (auto e = protocol::from_block(block, bits))
    return e;
  if (bits.size() != weights.size())
    return protocol::malformed("as many weights as classes are needed");
  for (size_t c = 0; c < bits.size(); ++c) {
    weights[c] = std::bit_cast<double>(bits[c]);
    if (!(weights[c] > 0 && weights[c] <= 1))
      return protocol::malformed("a weight is no share");
  }
  return {};
}

} // namespace wire

template <class Inspector>
auto inspect(Inspector& f, weights_label& x) {
  auto fitted_at = protocol::to_wire(x.fitted_at);
  return protocol::inspect_as(
      f, "weights_label",
      [&] {
        x.fitted_at = protocol::optional_from_wire(fitted_at);
        return caf::error();
      },
      x.version, fitted_at, x.stores);
}

template <class Inspector>
auto inspect(Inspector& f, fleet_weights& x) {
  auto as_of = protocol::to_wire(x.as_of);
  auto weights = storemon::wire::weights_to_block(x.by_class);
  return protocol::inspect_as(
      f, "fleet_weights",
      [&] {
        x.as_of = protocol::from_wire(as_of);
        return storemon::wire::weights_from_block(weights, x.by_class);
      },
      x.label, as_of, x.observations, x.held, weights);
}

template <class Inspector>
auto inspect(Inspector& f, behaviour_counts& x) {
  auto units = protocol::to_block(std::vector<int64_t>(x.units.begin(), x.units.end()));
  return protocol::inspect_as(
      f, "behaviour_counts",
      [&] {
        std::vector<int64_t> read;
        if (auto e = protocol::from_block(units, read))
          return e;
        if (read.size() != x.units.size())
          return protocol::malformed("as many counts as classes are needed");
        std::copy(read.begin(), read.end(), x.units.begin());
        return caf::error();
      },
      x.stores, units);
}

template <class Inspector>
auto inspect(Inspector& f, window& x) {
  return f(caf::meta::type_name("window"), x.name, x.span);
}

template <class Inspector>
auto inspect(Inspector& f, report_spec& x) {
  auto scope = static_cast<uint8_t>(x.scope);
  auto as_of = protocol::to_wire(x.as_of);
  bool weighed = x.weights != nullptr;
  fleet_weights weights;
  if (weighed)
    weights = *x.weights;
  return protocol::inspect_as(
      f, "report_spec",
      [&] {
        x.weights = weighed ? std::make_shared<const fleet_weights>(weights) : nullptr;
        if (scope > static_cast<uint8_t>(observation_scope::all))
          return protocol::malformed("unknown scope");
        x.scope = static_cast<observation_scope>(scope);
        x.as_of = protocol::from_wire(as_of);
        return caf::error();
      },
      x.estimator, scope, as_of, x.windows, weighed, weights);
}

template <class Inspector>
auto inspect(Inspector& f, report_columns& x) {
  auto measures = protocol::to_block(x.measures);
  auto bounds = protocol::to_block(x.bounds);
  auto active_now = protocol::to_block(x.active_now);
  return protocol::inspect_as(
      f, "report_columns",
      [&] {
        if (auto e = protocol::from_block(measures, x.measures))
          return e;
        if (auto e = protocol::from_block(bounds, x.bounds))
          return e;
        if (auto e = protocol::from_block(active_now, x.active_now))
          return e;
        const bool fits = x.stores.empty() ? x.measures.empty() : x.measures.size() % x.stores.size() == 0;
        return fits ? caf::error() : protocol::malformed("measures do not fit the stores");
      },
      x.stores, measures, bounds, active_now, x.last);
}

} // namespace storemon

namespace storemon::protocol {

template <class Inspector>
auto inspect(Inspector& f, batch& x) {
  return f(caf::meta::type_name("batch"), x.rows, x.mark, x.reject_conflicts);
}

template <class Inspector>
auto inspect(Inspector& f, conflict_seen& x) {
  auto at = to_wire(x.at);
  auto stands = static_cast<uint8_t>(x.stands);
  return inspect_as(
      f, "conflict_seen",
      [&] {
        x.at = from_wire(at);
        x.stands = stands ? store_status::active : store_status::inactive;
        return caf::error();
      },
      x.store, at, stands);
}

template <class Inspector>
auto inspect(Inspector& f, batch_result& x) {
  return f(caf::meta::type_name("batch_result"), x.done, x.replayed, x.conflicts);
}

template <class Inspector>
auto inspect(Inspector& f, hours_version& x) {
  auto valid_from = storemon::wire::date_to_wire(x.valid_from);
  auto rows = storemon::wire::hours_to_block(x.rows);
  return inspect_as(
      f, "hours_version",
      [&] {
        x.valid_from = storemon::wire::date_from_wire(valid_from);
        return storemon::wire::hours_from_block(rows, x.rows);
      },
      valid_from, rows);
}

template <class Inspector>
auto inspect(Inspector& f, store_card& x) {
  auto oldest = to_wire(x.oldest);
  auto newest = to_wire(x.newest);
  auto status = static_cast<uint8_t>(x.newest_status);
  return inspect_as(
      f, "store_card",
      [&] {
        x.oldest = optional_from_wire(oldest);
        x.newest = optional_from_wire(newest);
        x.newest_status = status ? store_status::active : store_status::inactive;
        return caf::error();
      },
      x.known, x.zone, x.zone_known, x.hours, x.closures, x.observations, x.conflicts, oldest, newest,
      status);
}

template <class Inspector>
auto inspect(Inspector& f, replay_slice& x) {
  return f(caf::meta::type_name("replay_slice"), x.entries, x.next, x.through_seq, x.last, x.snapshot_ends,
           x.snapshot_observations, x.snapshot_hash, x.damage);
}

template <class Inspector>
auto inspect(Inspector& f, snapshot_chunk& x) {
  bool changed = x.change != nullptr;
  update change;
  if (changed)
    change = *x.change;
  return inspect_as(
      f, "snapshot_chunk",
      [&] {
        x.change = changed ? std::make_shared<const update>(std::move(change)) : nullptr;
        return caf::error();
      },
      x.number, changed, change);
}

template <class Inspector>
auto inspect(Inspector& f, snapshot& x) {
  return f(caf::meta::type_name("snapshot"), x.partition, x.epoch, x.through_seq, x.observations,
           x.state_hash, x.chunks);
}

} // namespace storemon::protocol
