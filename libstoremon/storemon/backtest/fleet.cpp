#include "storemon/backtest/fleet.hpp"

namespace storemon::backtest {

std::optional<size_t> fleet::find(std::string_view id) const noexcept {
  size_t first = 0;
  for (auto left = ids.size(); left > 0;) {
    const auto half = left / 2;
    if (ids[first + half] < id) {
      first += half + 1;
      left -= half + 1;
    } else {
      left = half;
    }
  }
  if (first == ids.size() || ids[first] != id)
    return std::nullopt;
  return first;
}

} // namespace storemon::backtest
