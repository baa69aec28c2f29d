/// The room against a model that knows no cleverness: it asks of every small step of a window, one after the
/// other, whether the store is open, closed by plan, and what is believed. Written from SEMANTICS and
/// ESTIMATORS alone.
#include "storemon/estimate/measurer.hpp"

#include <catch2/catch.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdlib>
#include <map>
#include <optional>
#include <random>

namespace {

using namespace storemon;
using exact = boost::multiprecision::cpp_rational;
using boost::multiprecision::cpp_int;

constexpr int64_t second = 1'000'000;
constexpr int64_t week = 7 * 86'400 * second;

instant to_instant(int64_t at) {
  return instant(duration(at));
}

interval_set to_set(const std::vector<std::pair<int64_t, int64_t>>& stretches) {
  interval_set set;
  for (const auto& [from, to] : stretches)
    set.push_back({to_instant(from), to_instant(to)});
  normalise(set);
  return set;
}

/// A store in plain numbers: microseconds, stretches in any order and overlapping, polls by time.
struct plain_store {
  std::vector<std::pair<int64_t, int64_t>> opening;
  std::vector<std::pair<int64_t, int64_t>> closures;
  std::map<int64_t, bool> polls;
};

struct plain_window {
  int64_t from, to;
};

/// `half` to even, of a fraction not below zero.
int64_t rounded(const exact& value) {
  const cpp_int doubled = 2 * numerator(value);
  const cpp_int whole = numerator(value) / denominator(value);
  const exact rest = value - whole;
  const bool up = rest > exact(1, 2) || (rest == exact(1, 2) && whole % 2 == 1);
  return static_cast<int64_t>(whole) + up;
}

/// The naive model of one store and window. All instants lie on multiples of two steps, so a step never holds
/// a change, not even one in the middle of a gap.
class naive {
public:
  naive(const plain_store& store, plain_window window, int64_t as_of, int64_t step)
      : store_(store), window_(window), as_of_(as_of), step_(step) {
    const auto horizon_from = std::min(as_of, window.from + week) - 4 * week;
    for (const auto& [at, active] : store.polls)
      if (at >= horizon_from && at <= as_of) {
        all_[at] = active;
        if (const auto key = session_of(at))
          own_[*key][at] = active, business_[at] = active;
      }
    for (const auto& [at, active] : business_)
      if (at > window.from && at <= window.to)
        ++polls_, active_polls_ += active;
  }

  figures judge(const std::string& rule, observation_scope scope, int64_t fleet_active, int64_t fleet_polls) {
    figures f;
    exact up = 0;
    int64_t known = 0;
    int64_t open = 0;
    for (auto at = window_.from; at < window_.to; at += step_) {
      if (!covered(store_.opening, at))
        continue;
      f.scheduled += step_;
      if (covered(store_.closures, at)) {
        f.excluded += step_;
        continue;
      }
      open += step_;
      const auto& seen = scope == observation_scope::session    ? own_[*session_of(at)]
                         : scope == observation_scope::business ? business_
                                                                : all_;
      if (const auto share = believed(rule, seen, at)) {
        known += step_;
        up += *share * step_;
      }
    }
    f.observations = polls_;
    int64_t uptime = rounded(up);
    if (rule == "poll_ratio") {
      known = polls_ > 0 ? open : 0;
      uptime = polls_ > 0 ? rounded(exact(open) * active_polls_ / polls_) : 0;
    } else if (rule == "poll_count") {
      uptime = std::min(open, 3600 * second * active_polls_);
      known = uptime + std::min(open - uptime, 3600 * second * (polls_ - active_polls_));
    } else if (rule == "capped_nearest" && !business_.empty()) {
      const exact ratio(fleet_active, fleet_polls);
      const exact share = (horizon_active() + 4 * ratio) / (horizon_polls() + 4);
      f.imputed = open - known;
      uptime += rounded(f.imputed * share);
      known = open;
    }
    f.uptime = uptime;
    f.downtime = known - uptime;
    f.unknown = open - known;
    return f;
  }

  int64_t horizon_polls() const { return static_cast<int64_t>(business_.size()); }

  int64_t horizon_active() const {
    int64_t active = 0;
    for (const auto& poll : business_)
      active += poll.second;
    return active;
  }

private:
  static bool covered(const std::vector<std::pair<int64_t, int64_t>>& stretches, int64_t at) {
    for (const auto& [from, to] : stretches)
      if (from <= at && at < to)
        return true;
    return false;
  }

  bool serves(int64_t at) const { return covered(store_.opening, at) && !covered(store_.closures, at); }

  /// What makes an instant's session the same as another's: where it ends. Goes on edge by edge.
  std::optional<int64_t> session_of(int64_t at) const {
    if (!serves(at))
      return {};
    for (auto end = at;;) {
      auto next = std::numeric_limits<int64_t>::max();
      for (const auto* list : {&store_.opening, &store_.closures})
        for (const auto& [from, to] : *list)
          for (const auto edge : {from, to})
            if (edge > end)
              next = std::min(next, edge);
      end = next;
      if (!serves(end))
        return end;
    }
  }

  /// The believed share of active time within [at, at + step); nothing when the rule has nothing to say.
  std::optional<exact> believed(const std::string& rule, const std::map<int64_t, bool>& seen,
                                int64_t at) const {
    if (seen.empty())
      return {};
    const auto after = seen.upper_bound(at);
    if (after == seen.begin() || after == seen.end()) {
      const auto& [polled, active] = after == seen.begin() ? *after : *std::prev(after);
      if (rule == "capped_nearest" && out_of_reach(polled, at))
        return {};
      return exact(active ? 1 : 0);
    }
    const auto& [left, left_active] = *std::prev(after);
    const auto& [right, right_active] = *after;
    if (rule == "carry_forward")
      return exact(left_active ? 1 : 0);
    if (rule == "linear") {
      const exact way(2 * (at - left) + step_, 2 * (right - left));
      return (left_active ? 1 - way : exact(0)) + (right_active ? way : exact(0));
    }
    const bool first_half = at < (left + right) / 2;
    if (rule == "capped_nearest" && out_of_reach(first_half ? left : right, at))
      return {};
    return exact((first_half ? left_active : right_active) ? 1 : 0);
  }

  bool out_of_reach(int64_t polled, int64_t at) const {
    return polled <= at ? at + step_ - polled > 7200 * second : polled - at > 7200 * second;
  }

  const plain_store& store_;
  plain_window window_;
  int64_t as_of_;
  int64_t step_;
  std::map<int64_t, bool> all_, business_;
  std::map<int64_t, std::map<int64_t, bool>> own_;
  int64_t polls_ = 0, active_polls_ = 0;
};

/// Draws stores whose edges and polls lie where rules meet: on window, session and horizon edges, at as_of,
/// two hours from one another, and a step beside all of these.
class world {
public:
  world(uint64_t seed, int64_t unit) : random_(seed), unit_(unit) {
    as_of_ = 1'674'669'600 * second / unit * unit;
    for (int w = 0; w < 3; ++w) {
      auto to = w == 0 || one_in(2) ? as_of_ : as_of_ - below(120) * unit;
      if (w == 2 && one_in(3))
        to -= week / unit * unit * (1 + below(6));
      windows_.push_back({to - (1 + below(60)) * unit, to});
      for (const auto at :
           {windows_.back().from, to, std::min(as_of_, windows_.back().from + week) - 4 * week})
        anchors_.push_back(at / unit * unit);
    }
  }

  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }

  bool one_in(int64_t n) { return below(n) == 0; }

  int64_t as_of() const { return as_of_; }

  const std::vector<plain_window>& windows() const { return windows_; }

  plain_store draw() {
    plain_store s;
    auto anchors = anchors_;
    if (one_in(6))
      s.opening.push_back({as_of_ - 20 * week, as_of_ + week});
    else
      for (auto n = below(8); n >= 0; --n)
        s.opening.push_back(stretch(anchors, 40));
    if (one_in(3))
      for (auto n = below(3); n >= 0; --n)
        s.closures.push_back(stretch(anchors, 15));
    for (auto n = below(4) == 0 ? below(3) : below(20); n > 0; --n) {
      const auto at = near(anchors);
      s.polls[at] = one_in(2);
      if (one_in(4))
        anchors.push_back(at + (one_in(2) ? 1 : -1) * 7200 * second / unit_ * unit_);
    }
    return s;
  }

private:
  int64_t near(const std::vector<int64_t>& anchors) {
    const auto at = anchors[static_cast<size_t>(below(static_cast<int64_t>(anchors.size())))];
    return one_in(2) ? at : at + (below(81) - 40) * unit_;
  }

  std::pair<int64_t, int64_t> stretch(std::vector<int64_t>& anchors, int64_t length_max) {
    const auto from = near(anchors);
    const auto to = from + (1 + below(length_max)) * unit_;
    anchors.insert(anchors.end(), {from, to});
    return {from, to};
  }

  std::mt19937_64 random_;
  int64_t unit_;
  int64_t as_of_ = 0;
  std::vector<plain_window> windows_;
  std::vector<int64_t> anchors_;
};

struct rule {
  const char* estimator;
  observation_scope scope;
};

constexpr auto session = observation_scope::session;
constexpr auto business = observation_scope::business;
constexpr auto all = observation_scope::all;

constexpr rule rules[] = {{"carry_forward", session},  {"carry_forward", business}, {"carry_forward", all},
                          {"nearest", session},        {"nearest", business},       {"nearest", all},
                          {"linear", session},         {"linear", business},        {"linear", all},
                          {"capped_nearest", session}, {"poll_ratio", session},     {"poll_count", session}};

std::vector<figures> measured(const plain_store& store, const report_spec& spec, fleet_counts others) {
  std::vector<observation> observations;
  for (const auto& [at, active] : store.polls)
    observations.emplace_back(to_instant(at), active ? store_status::active : store_status::inactive);
  const auto opening = to_set(store.opening);
  const auto closures = to_set(store.closures);
  std::vector<measure> measures(spec.windows.size());
  estimate::measurer(spec).measure_store({opening, closures, observations}, measures.data(), 1);
  std::vector<figures> rows;
  for (const auto& m : measures) {
    auto counts = others;
    counts += m;
    rows.push_back(estimate::find_estimator(spec.estimator)->settle(m, counts));
  }
  return rows;
}

report_spec spec_of(const rule& r, int64_t as_of, const std::vector<plain_window>& windows) {
  report_spec spec{r.estimator, r.scope, to_instant(as_of), {}};
  for (const auto& w : windows)
    spec.windows.push_back(
        {"w" + std::to_string(spec.windows.size()), {to_instant(w.from), to_instant(w.to)}});
  return spec;
}

/// Windows and stores at one scale: all instants on multiples of `unit`.
/// @returns how many judgements found some uptime and some downtime.
size_t compare(uint64_t seed, int64_t unit, int stores) {
  world w(seed, unit);
  size_t judged = 0;
  for (int i = 0; i < stores; ++i) {
    const auto store = w.draw();
    const fleet_counts others{w.below(50), 50 + w.below(50)};
    std::vector<naive> models;
    for (const auto& window : w.windows())
      models.emplace_back(store, window, w.as_of(), unit / 2);
    for (const auto& r : rules) {
      const auto rows = measured(store, spec_of(r, w.as_of(), w.windows()), others);
      for (size_t k = 0; k < rows.size(); ++k) {
        CAPTURE(seed, unit, i, k, r.estimator, to_string(r.scope));
        auto& model = models[k];
        const auto expected = model.judge(r.estimator, r.scope, others.active + model.horizon_active(),
                                          others.observed + model.horizon_polls());
        const auto& f = rows[k];
        const int64_t allowed = std::string_view(r.estimator) == "linear" ? 1 : 0;
        REQUIRE(f.scheduled == expected.scheduled);
        REQUIRE(f.excluded == expected.excluded);
        REQUIRE(f.unknown == expected.unknown);
        REQUIRE(f.imputed == expected.imputed);
        REQUIRE(f.observations == expected.observations);
        REQUIRE(std::abs(f.uptime - expected.uptime) <= allowed);
        REQUIRE(std::abs(f.downtime - expected.downtime) <= allowed);
        judged += f.uptime > 0 && f.downtime > 0;
      }
    }
  }
  return judged;
}

/// Any microsecond, about as dense as real data.
plain_store ragged_store(std::mt19937_64& random, int64_t as_of) {
  plain_store s;
  const auto some = [&](int64_t span) {
    return as_of - span + static_cast<int64_t>(random() % static_cast<uint64_t>(span + span / 20));
  };
  for (auto n = random() % 40; n > 0; --n) {
    const auto from = some(5 * week);
    s.opening.push_back({from, from + static_cast<int64_t>(random() % (86'400 * second))});
  }
  for (auto n = random() % 4; n > 0; --n) {
    const auto from = some(week);
    s.closures.push_back({from, from + static_cast<int64_t>(random() % (20'000 * second))});
  }
  for (auto n = random() % 200; n > 0; --n)
    s.polls[some(random() % 2 ? week : 5 * week)] = random() % 3 != 0;
  return s;
}

} // namespace

TEST_CASE("every estimator agrees with the naive model to the microsecond") {
  const auto unit = GENERATE(1, 60, 600) * second;
  size_t judged = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed)
    judged += compare(seed, unit, 25);
  CHECK(judged > 2000);
}

TEST_CASE("on any microsecond the four figures add up, none is negative, and adjacent windows join") {
  constexpr int64_t as_of = 1'674'669'612'345'678;
  std::mt19937_64 random(20230125);
  for (int i = 0; i < 1500; ++i) {
    const auto store = ragged_store(random, as_of);
    const auto cut = [&] { return as_of - static_cast<int64_t>(random() % (week - 1)) - 1; };
    // Within the last week all windows share one horizon.
    const auto [first, middle] = std::minmax({cut(), cut()});
    const std::vector<plain_window> windows{{first, middle}, {middle, as_of}, {first, as_of}};
    for (const auto& r : rules) {
      CAPTURE(i, r.estimator, to_string(r.scope));
      const auto rows = measured(store, spec_of(r, as_of, windows), {3, 4});
      for (const auto& f : rows) {
        REQUIRE(f.uptime + f.downtime + f.unknown + f.excluded == f.scheduled);
        REQUIRE(std::min({f.uptime, f.downtime, f.unknown, f.excluded, f.imputed, f.observations}) >= 0);
        REQUIRE(f.imputed <= f.uptime + f.downtime);
      }
      REQUIRE(rows[0].scheduled + rows[1].scheduled == rows[2].scheduled);
      REQUIRE(rows[0].observations + rows[1].observations == rows[2].observations);
      const auto apart = rows[0].uptime + rows[1].uptime;
      const std::string_view name = r.estimator;
      if (name == "carry_forward" || name == "nearest")
        REQUIRE(apart == rows[2].uptime);
      if (name == "linear" || name == "capped_nearest")
        REQUIRE(std::abs(apart - rows[2].uptime) <= 1);
    }
  }
}

TEST_CASE("a gap of centuries and figures of a huge fleet stay exact") {
  const int64_t day = 86'400 * second;
  const int64_t centuries = 300 * 365 * day;
  const int64_t as_of = centuries / 2;
  plain_store s;
  s.opening.push_back({-as_of, as_of + day});
  s.polls = {{-as_of, true}, {as_of, false}};
  const std::vector<plain_window> windows{{-as_of, as_of}, {-as_of, 0}};
  const auto linear = measured(s, spec_of({"linear", all}, as_of, windows), {});
  CHECK(linear[0].uptime == centuries / 2);
  CHECK(linear[1].uptime == centuries / 8 * 3);
  const auto capped = measured(s, spec_of({"capped_nearest", session}, as_of, windows),
                               {999'999'999'999, 2'000'000'000'000 - 2});
  CHECK(capped[0].imputed == centuries - 4 * 3600 * second);
  CHECK(capped[0].uptime == 2 * 3600 * second + capped[0].imputed / 2);
}
