#include "storemon/synth/hours.hpp"

#include <algorithm>
#include <array>

namespace storemon::synth {

namespace {

using namespace std::chrono_literals;

constexpr duration midnight = 24h;

/// Opening hours of one day; `to` past midnight reaches into the next.
struct shift {
  duration from;
  duration to;
};

using day_plan = std::vector<shift>;

duration quarter_between(random_source& random, duration low, duration high) {
  constexpr duration quarter = 15min;
  return quarter * static_cast<int64_t>(random.between(static_cast<uint64_t>(low / quarter),
                                                       static_cast<uint64_t>(high / quarter)));
}

day_plan draw_day(random_source& random) {
  auto quarter = [&](duration low, duration high) { return quarter_between(random, low, high); };
  const auto percent = random.below(100);
  if (percent < 14)
    return {{0h, midnight}};
  if (percent < 56)
    return {{quarter(6h, 12h), quarter(19h, 23h + 30min)}};
  if (percent < 75)
    return {{quarter(6h, 17h), midnight}};
  if (percent < 91)
    return {{quarter(6h, 17h), midnight + quarter(30min, 5h)}};
  if (percent < 99)
    return {{quarter(10h, 12h), quarter(14h, 15h)}, {quarter(16h, 17h), quarter(20h, 23h + 30min)}};
  return {{0h, 10min}}; // the real feed has such a store, and it must not be lost
}

/// Fridays and Saturdays of about half the stores end later.
day_plan draw_weekend(random_source& random, day_plan day) {
  auto& last = day.back();
  const bool ends_in_the_evening = last.to >= 19h && last.to < midnight;
  if (ends_in_the_evening && random.chance(500))
    last.to += quarter_between(random, 15min, 2h);
  return day;
}

std::array<bool, 7> draw_open_days(random_source& random) {
  std::array<bool, 7> open{};
  open.fill(true);
  if (random.chance(185)) {
    constexpr std::array<uint8_t, 7> usual{6, 6, 6, 0, 0, 1, 5};
    open[usual[random.below(usual.size())]] = false;
    while (random.chance(200))
      open[random.below(4)] = false;
  }
  return open;
}

} // namespace

std::vector<hours_row> draw_hours(random_source& random) {
  const auto weekday = draw_day(random);
  const auto weekend = draw_weekend(random, weekday);
  const auto open = draw_open_days(random);
  const duration end_of_day = random.chance(600) ? 23h + 59min : 23h + 59min + 59s;
  std::vector<hours_row> rows;
  for (uint8_t day = 0; day < 7; ++day) {
    if (!open[day])
      continue;
    const bool friday_or_saturday = day == 4 || day == 5;
    for (const auto& s : friday_or_saturday ? weekend : weekday) {
      rows.push_back({s.from, s.to < midnight ? s.to : end_of_day, day});
      if (s.to > midnight)
        rows.push_back({0h, s.to - midnight, static_cast<uint8_t>((day + 1) % 7)});
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

} // namespace storemon::synth
