#include "storemon/synth/fleet.hpp"

#include "storemon/calendar/opening_intervals.hpp"
#include "storemon/synth/hours.hpp"
#include "storemon/synth/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

namespace storemon::synth {

namespace {

using namespace std::chrono_literals;

/// Streams of a seed: every store has one, so that a larger fleet begins with the smaller one's stores.
enum stream : uint64_t { ids_stream, holes_stream, order_stream, first_store_stream };

/// The first of the streams that say which polls of a store are lost.
constexpr uint64_t first_loss_stream = uint64_t{1} << 32;

struct zone_share {
  std::string_view name;
  uint32_t stores;
};

/// The zones of the real feed, with how many stores are in each.
constexpr std::array<zone_share, 11> zone_shares{{{"America/New_York", 8191},
                                                  {"America/Los_Angeles", 3224},
                                                  {"America/Chicago", 1517},
                                                  {"America/Phoenix", 418},
                                                  {"America/Denver", 127},
                                                  {"America/Detroit", 62},
                                                  {"America/Indiana/Indianapolis", 15},
                                                  {"America/Edmonton", 2},
                                                  {"Pacific/Honolulu", 1},
                                                  {"Asia/Beirut", 1},
                                                  {"America/Boise", 1}}};

std::string_view draw_zone(random_source& random) {
  uint32_t all = 0;
  for (const auto& z : zone_shares)
    all += z.stores;
  auto left = random.below(all);
  for (const auto& z : zone_shares) {
    if (left < z.stores)
      return z.name;
    left -= z.stores;
  }
  return zone_shares.front().name;
}

text_list draw_ids(const fleet_options& options) {
  constexpr uint64_t least = 100'000'000'000'000; // 15 digits
  constexpr uint64_t greatest = INT64_MAX;
  random_source random(options.seed, ids_stream);
  std::unordered_set<uint64_t> taken;
  taken.reserve(options.stores);
  text_list ids;
  ids.reserve(options.stores, size_t{options.stores} * 19);
  while (ids.size() < options.stores)
    if (const auto id = random.between(least, greatest); taken.insert(id).second)
      ids.add(std::to_string(id));
  return ids;
}

interval_set draw_holes(const fleet_options& options, const interval& span) {
  random_source random(options.seed, holes_stream);
  interval_set holes;
  auto add = [&](instant from, duration within, duration length) {
    const duration kept_polled = 2h;
    const auto begin = from + random.between(duration::zero(), within - kept_polled - length);
    holes.push_back({begin, begin + length});
  };
  for (uint32_t day = 0; day < options.days; ++day)
    add(span.from + day * 24h, 24h, random.spread(10min, 90min));
  for (uint32_t day = 0; day + 2 <= options.days; day += 2)
    add(span.from + day * 24h, 48h, random.spread(4h, 36h));
  normalise(holes);
  return holes;
}

/// How one store behaves.
struct temperament {
  duration up_mean;
  duration outage_mean;
  uint64_t opens_per_mille; ///< how often it is up at an opening
  bool active_when_closed;
};

temperament draw_temperament(random_source& random) {
  return {random.spread(4h, 100h), random.spread(15min, 20h), random.between(500, 999), random.chance(100)};
}

/// Draws when a store was up, stretch by stretch.
interval_set draw_life(random_source& random, const temperament& store, outage_law outages,
                       const interval_set& stretches) {
  interval_set active;
  for (const auto& session : stretches) {
    bool up = random.chance(store.opens_per_mille);
    for (auto at = session.from; at < session.to; up = !up) {
      const auto length =
          up ? random.exponential(store.up_mean) : draw_outage(random, outages, store.outage_mean);
      const auto next = std::min(session.to, at + length);
      if (up)
        active.push_back({at, next});
      at = next;
    }
  }
  return active;
}

/// A walk over a set that answers whether ascending instants are in it.
class membership {
public:
  explicit membership(const interval_set& set) : next_(set.begin()), end_(set.end()) {}

  bool contains(instant at) {
    while (next_ != end_ && next_->to <= at)
      ++next_;
    return next_ != end_ && next_->from <= at;
  }

private:
  interval_set::const_iterator next_;
  interval_set::const_iterator end_;
};

/// The instant, or one a hundredth later where the fraction of its second has one digit: of the 9,999 in the
/// real feed none has, but 1 two digits, 10 three, 81 four, 881 five and 9,026 six.
instant as_in_real_feeds(instant at) {
  const auto fraction = at - std::chrono::floor<std::chrono::seconds>(at);
  return fraction > duration::zero() && fraction % 100ms == duration::zero() ? at + 10ms : at;
}

/// Draws the stores of a fleet, one after the other.
class drawing {
public:
  drawing(const fleet_options& options, fleet& out)
      : options_(options), out_(out), within_{out.span.from - 24h, out.span.to + 24h},
        period_(std::llround(3.6e9 / options.polls_per_hour)),
        lost_(static_cast<uint64_t>(std::llround(options.lost * loss_unit))) {}

  void draw_store(uint32_t store) {
    random_source random(options_.seed, first_store_stream + store);
    const auto zone = random.chance(970) ? draw_zone(random) : std::string_view();
    const auto rows = random.chance(820) ? draw_hours(random) : std::vector<hours_row>();
    if (!zone.empty())
      out_.zones.push_back({store, zone});
    for (const auto& row : rows)
      out_.hours.push_back({store, row});
    open(rows, zone);
    const auto behaviour = draw_temperament(random);
    const auto active = draw_life(random, behaviour, options_.outages,
                                  options_.ignores_hours ? interval_set{within_} : opening_);
    add_truth(store, active);
    poll(random, store, behaviour, active);
  }

private:
  void open(const std::vector<hours_row>& rows, std::string_view zone_name) {
    if (rows.empty()) {
      opening_.assign(1, within_);
      return;
    }
    const auto* zone = zone_name.empty() ? nullptr : calendar::zone::find(zone_name);
    calendar::opening_intervals(rows, zone ? *zone : calendar::zone::fallback(), within_, opening_);
    for (auto& session : opening_)
      session = intersect(session, within_);
  }

  void add_truth(uint32_t store, const interval_set& active) {
    for (const auto& session : opening_)
      for (auto up = std::partition_point(active.begin(), active.end(),
                                          [&](const interval& i) { return i.to <= session.from; });
           up != active.end() && up->from < session.to; ++up)
        if (const auto shown = intersect(intersect(*up, session), out_.span); !shown.empty())
          out_.truth.push_back({store, shown});
  }

  void poll(random_source& random, uint32_t store, const temperament& behaviour, const interval_set& active) {
    const auto period = period_ * static_cast<int64_t>(random.between(950, 1050)) / 1000;
    const auto jitter = period * static_cast<int64_t>(random.between(50, 450)) / 1000;
    membership hole(out_.holes);
    membership session(opening_);
    membership up(active);
    random_source loss(options_.seed, first_loss_stream + store);
    auto is_lost = [&] { return loss.below(loss_unit) < lost_; };
    auto see = [&](instant at) {
      const bool in_process = options_.ignores_hours || session.contains(at);
      const bool is_active = in_process ? up.contains(at) : behaviour.active_when_closed;
      out_.polls.emplace_back(store, at - out_.span.from, is_active);
    };
    for (auto due = out_.span.from + random.between(duration::zero(), period);; due += period) {
      const auto at = as_in_real_feeds(due + random.between(duration::zero(), jitter));
      if (at >= out_.span.to)
        break;
      if (!hole.contains(at) && !is_lost())
        see(at);
    }
    if (store == 0)
      see(out_.span.to);
  }

  static constexpr uint64_t loss_unit = 1'000'000;

  const fleet_options& options_;
  fleet& out_;
  interval within_; ///< a day more than the span on both sides, so that no session begins or ends at its edge
  duration period_; ///< of an average store; rounded once, from a division that IEEE 754 fixes to the bit
  uint64_t lost_;   ///< of so many polls as loss_unit says
  interval_set opening_; ///< of the store being drawn
};

} // namespace

result<void> validate(const fleet_options& options) {
  auto refuse = [](const std::string& what) { return error{errc::invalid_argument, what}; };
  if (options.stores < 1 || options.stores > stores_max)
    return refuse("stores: a number from 1 to " + std::to_string(stores_max) + " is expected");
  if (options.days < 1 || options.days > days_max)
    return refuse("days: a number from 1 to " + std::to_string(days_max) + " is expected");
  if (!(options.polls_per_hour >= polls_per_hour_min && options.polls_per_hour <= polls_per_hour_max))
    return refuse("polls-per-hour: a number from 0.01 to 60 is expected");
  if (options.stores * 24. * options.days * options.polls_per_hour > polls_max)
    return refuse("stores x days x 24 x polls-per-hour: at most 200 million polls are expected");
  if (!(options.lost >= 0 && options.lost <= lost_max))
    return refuse("lose: a share from 0 to 0.99 is expected");
  return {};
}

result<fleet> generate(const fleet_options& options) {
  if (auto valid = validate(options); !valid)
    return valid.error();
  fleet out;
  out.span = {data_end - options.days * 24h, data_end};
  out.ids = draw_ids(options);
  if (options.holes)
    out.holes = draw_holes(options, out.span);
  drawing stores(options, out);
  for (uint32_t store = 0; store < options.stores; ++store)
    stores.draw_store(store);
  random_source order(options.seed, order_stream);
  order.shuffle(out.polls);
  order.shuffle(out.hours);
  order.shuffle(out.zones);
  return out;
}

} // namespace storemon::synth
