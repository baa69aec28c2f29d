#include "storemon/model/interval.hpp"

namespace storemon {

void normalise(interval_set& set) {
  std::erase_if(set, [](const interval& i) { return i.empty(); });
  std::sort(set.begin(), set.end(), [](const interval& a, const interval& b) { return a.from < b.from; });
  size_t kept = 0;
  for (const auto& next : set) {
    if (kept > 0 && next.from <= set[kept - 1].to)
      set[kept - 1].to = std::max(set[kept - 1].to, next.to);
    else
      set[kept++] = next;
  }
  set.resize(kept);
}

interval_set subtract(std::span<const interval> set, std::span<const interval> taken) {
  interval_set left;
  subtract(set, taken, left);
  return left;
}

void subtract(std::span<const interval> set, std::span<const interval> taken, interval_set& left) {
  left.clear();
  auto cut = taken.begin();
  for (auto rest : set) {
    while (cut != taken.end() && cut->to <= rest.from)
      ++cut;
    // One cut may reach into the next interval of the set, so it is only passed when it ends before that.
    for (auto c = cut; c != taken.end() && c->from < rest.to; ++c) {
      if (rest.from < c->from)
        left.push_back({rest.from, c->from});
      rest.from = std::max(rest.from, c->to);
    }
    if (!rest.empty())
      left.push_back(rest);
  }
}

duration overlap(std::span<const interval> set, const interval& with) noexcept {
  auto first =
      std::partition_point(set.begin(), set.end(), [&](const interval& i) { return i.to <= with.from; });
  auto sum = duration::zero();
  for (; first != set.end() && first->from < with.to; ++first)
    sum += intersect(*first, with).length();
  return sum;
}

} // namespace storemon
