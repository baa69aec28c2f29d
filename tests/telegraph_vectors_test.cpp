/// The telegraph vectors of ESTIMATORS section 9.
#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/telegraph.hpp"
#include "support/telegraph.hpp"

#include <catch2/catch.hpp>

#include <array>

namespace {

using namespace storemon;
using namespace storemon::estimate;
using namespace std::chrono_literals;
using std::chrono::days;
using test::at;
using test::telegraph_store;

observation poll(std::string_view when, char state) {
  return {at(when), state == 'a' ? store_status::active : store_status::inactive};
}

/// Tolerances that ESTIMATORS' figures must be met with, in seconds.
Approx mean(double value) {
  return Approx(value).epsilon(0).margin(1e-6);
}

Approx deviation(double value) {
  return Approx(value).epsilon(0).margin(1e-4);
}

Approx bound(double value) {
  return Approx(value).epsilon(0).margin(2e-4);
}

Approx chance(double value) {
  return Approx(value).epsilon(0).margin(1e-11);
}

telegraph_store well_known() {
  return {{{at("2023-01-25 09:00:00"), at("2023-01-25 12:00:00")}},
          {poll("2023-01-25 10:14:00", 'a'), poll("2023-01-25 11:15:00", 'i')},
          at("2023-01-25 12:00:00")};
}

/// An opening interval of that length on each of many days up to `last`.
interval_set daily(std::string_view last, duration length, days apart = days(1)) {
  interval_set set;
  for (auto from = at(last) - 40 * days(1); from <= at(last); from += days(1))
    if ((at(last) - from) % apart == 0s)
      set.push_back({from, from + length});
  return set;
}

/// New York is five hours behind UTC in January, Kolkata five and a half ahead.
std::vector<telegraph_store> mini_fleet() {
  const auto now = at("2023-01-25 16:00:00");
  return {
      {daily("2023-01-25 14:00:00", 8h),
       {poll("2023-01-24 14:10:00", 'a'), poll("2023-01-24 15:05:30", 'a'),
        poll("2023-01-24 16:20:00.5", 'i'), poll("2023-01-24 17:15:00", 'a'),
        poll("2023-01-25 03:00:00", 'i'), poll("2023-01-25 14:30:00", 'a'), poll("2023-01-25 15:40:00", 'a')},
       now},
      {daily("2023-01-25 01:00:00", 6h),
       {poll("2023-01-24 23:50:00", 'i'), poll("2023-01-25 01:20:00", 'a'), poll("2023-01-25 02:25:00", 'a'),
        poll("2023-01-25 12:00:00", 'a')},
       now},
      {{{at("2022-12-01 00:00:00"), at("2023-02-01 00:00:00")}},
       {poll("2023-01-23 05:00:00", 'a'), poll("2023-01-25 05:00:00", 'a'), poll("2023-01-25 15:00:00", 'i'),
        poll("2023-01-25 16:00:00", 'a')},
       now},
      {daily("2023-01-24 18:30:00", days(1), days(7)), {}, now}};
}

class_weights single_class(size_t c) {
  class_weights w{};
  w[c] = 1;
  return w;
}

/// Class 71 of the grid: 36 h, 2.25 h, 0.95.
constexpr size_t class_71 = 71;

double variance(const telegraph::uptime& u) {
  return u.deviation * u.deviation;
}

} // namespace

TEST_CASE("the grid has the classes of ESTIMATORS") {
  static_assert(classes == 168);
  static_assert((2 * 7 + 3) * 4 + 3 == class_71);
  const auto& chain = grid_chains[class_71 / openings];
  CHECK(1 / chain.failing == Approx(36 * 3600));
  CHECK(1 / chain.recovering == Approx(2.25 * 3600));
  CHECK(active_at_opening[class_71 % openings] == 0.95);
  CHECK(1 / grid_chains[0].failing == Approx(4 * 3600));
  CHECK(1 / grid_chains[0].recovering == Approx(3600.0 / 12));
  CHECK(1 / grid_chains[41].failing == Approx(972 * 3600));
  CHECK(1 / grid_chains[41].recovering == Approx(60.75 * 3600));
}

TEST_CASE("the well-known example under a single class has its moments, gap by gap") {
  const auto s = well_known();
  const auto seen = likelihoods_of(s.view(s.last(24h)));
  CHECK(seen.log(class_71) == chance(-3.852852466200));
  const telegraph store(seen, single_class(class_71));

  struct expected {
    const char *from, *to;
    double mean, variance;
  };

  const auto e =
      GENERATE(expected{"2023-01-25 09:00:00", "2023-01-25 12:00:00", 6744.860908670, 1829060.936955290},
               expected{"2023-01-25 09:00:00", "2023-01-25 10:14:00", 4384.888830060, 145238.011474073},
               expected{"2023-01-25 10:14:00", "2023-01-25 11:15:00", 1958.707772270, 1105430.610979250},
               expected{"2023-01-25 11:15:00", "2023-01-25 12:00:00", 401.264306340, 578392.314501967});
  const auto u = store.believe(s.view({at(e.from), at(e.to)}));
  CHECK(u.mean == mean(e.mean));
  CHECK(variance(u) == Approx(e.variance).epsilon(1e-9));
}

TEST_CASE("the well-known example has its figures under equal weights and under its own") {
  const auto s = well_known();
  const auto seen = likelihoods_of(s.view(s.last(24h)));
  const auto fitted = fit(std::span(&seen, 1));
  CHECK(fitted[class_71] == chance(0.005917524335));
  const telegraph of_equal(seen, equal_weights());
  const telegraph of_fitted(seen, fitted);
  CHECK(of_fitted.shares()[class_71] == chance(0.005220391981));
  for (const auto share : of_fitted.shares())
    CHECK(share > 0);

  struct expected {
    const telegraph& store;
    duration window;
    double mean, deviation, low, high;
  };

  const std::vector<expected> table{
      {of_equal, 24h, 6556.892074314, 1775.363911161, 3636.678305882, 9477.105842745},
      {of_equal, 1h, 691.889493891, 997.427608606, 0, 2332.511913528},
      {of_fitted, 24h, 6528.867322154, 1743.001441873, 3661.885078707, 9395.849565601},
      {of_fitted, 1h, 661.341710610, 974.985630164, 0, 2265.050360611}};
  for (const auto& e : table) {
    const auto u = e.store.believe(s.view(s.last(e.window)));
    CHECK(u.mean == mean(e.mean));
    CHECK(u.deviation == deviation(e.deviation));
    CHECK(u.low == bound(e.low));
    CHECK(u.high == bound(e.high));
  }
  CHECK(of_equal.active_at(s.view(s.last(24h)), s.as_of).value() == chance(0.303437987321));
  CHECK(of_fitted.active_at(s.view(s.last(24h)), s.as_of).value() == chance(0.291089823202));
}

TEST_CASE("the kernels have the probabilities and moments of the table") {
  const auto chain = two_state_chain::of(1 / (24 * 3600.0), 1 / (1.5 * 3600));

  struct expected {
    double length;
    bool from, to;
    double chance, mean, variance;
  };

  const auto e =
      GENERATE(expected{60, true, true, 0.999309638623367, 59.999923240367, 0.002300384},
               expected{60, true, false, 0.000690361376632659, 30.052083212352, 299.998218084},
               expected{60, false, true, 0.0110457820261225, 30.052083212352, 299.998218084},
               expected{60, false, false, 0.988954217973878, 0.000077563390, 0.002329320},
               expected{3600, true, true, 0.970144958098554, 3587.792203113879, 20456.521615136},
               expected{3600, true, false, 0.0298550419014465, 1985.950573236572, 1057342.569395117},
               expected{3600, false, true, 0.477680670423144, 1985.950573236572, 1057342.569395117},
               expected{3600, false, false, 0.522319329576856, 22.674505667168, 42841.767615312},
               expected{129600, true, true, 0.941176470588731, 122574.394463602, 64531089.434719},
               expected{129600, true, false, 0.0588235294112692, 117492.041523455, 87322540.569473},
               expected{129600, false, false, 0.0588235294196927, 112409.688567273, 110113993.367378});
  CAPTURE(e.length, e.from, e.to);
  const auto mixing = decay_over(chain.rate * e.length);
  CHECK(transitions(chain, mixing)[e.from][e.to] == Approx(e.chance).epsilon(2e-14));
  const auto m = passage(chain, e.length, 1 / e.length, mixing).between(e.from, e.to).given();
  CHECK(m.mean * e.length == mean(e.mean));
  CHECK(m.variance * e.length * e.length == Approx(e.variance).epsilon(1e-11).margin(1e-9));
}

TEST_CASE("the mini fleet has the figures of the table") {
  const auto fleet = mini_fleet();
  std::vector<class_likelihoods> seen;
  for (const auto& s : fleet)
    seen.push_back(likelihoods_of(s.view(s.last(24h))));
  const auto weights = fit(std::span(seen).first(3)); // the fourth was never polled

  struct expected {
    size_t store;
    duration window;
    double open, imputed, mean, deviation;
  };

  const std::vector<expected> table{
      {0, 24h, 28800, 9900, 24901.518700494, 3369.374386857},
      {0, 168h, 201600, 175500, 175093.372605017, 24505.044999318},
      {1, 24h, 21600, 9300, 20693.165075628, 2497.863457829},
      {1, 168h, 151200, 138900, 132412.258038454, 26525.448115157},
      {2, 1h, 3600, 0, 2218.214080195, 1024.593477249},
      {2, 24h, 86400, 61200, 71430.466036062, 13018.685523665},
      {2, 168h, 604800, 565200, 515007.325556713, 81676.497550841},
      {3, 168h, 86400, 86400, 68348.843493517, 26805.258688239},
  };
  for (const auto& e : table) {
    CAPTURE(e.store, e.window.count());
    const auto& s = fleet[e.store];
    const auto view = s.view(s.last(e.window));
    CHECK(view.open == std::llround(e.open * 1e6));
    const auto u = telegraph(seen[e.store], weights).believe(view);
    CHECK(u.mean == mean(e.mean));
    CHECK(u.deviation == deviation(e.deviation));
    if (e.store != 3)
      CHECK(capped_nearest().judge(view, observation_scope::session).imputed ==
            std::llround(e.imputed * 1e6));
  }
  const auto now = [&](size_t i) {
    return telegraph(seen[i], weights).active_at(fleet[i].view(fleet[i].last(24h)), fleet[i].as_of);
  };
  CHECK(now(0).value() == chance(0.957848590724));
  CHECK_FALSE(now(1));
  CHECK(now(2).value() == 1);
  CHECK(now(3).value() == chance(0.811530284759));
}
