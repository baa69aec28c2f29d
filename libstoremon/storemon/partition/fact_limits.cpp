#include "storemon/partition/fact_limits.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace storemon::partition {

namespace {

error too_many(std::string_view store, size_t max, std::string_view what) {
  return {errc::invalid_argument, "store " + std::string(store) + " would have more than " +
                                      std::to_string(max) + ' ' + std::string(what) + ", the most allowed"};
}

result<void> check_rows(const hours_rows& change, size_t rows_max) {
  std::vector<uint32_t> counts(change.stores.size());
  bool many = false;
  for (const auto s : change.store)
    many = ++counts[s] > rows_max || many;
  if (!many)
    return {};
  // Repeated rows count once, so only now they have to be told apart.
  for (uint32_t s = 0; s < counts.size(); ++s) {
    if (counts[s] <= rows_max)
      continue;
    std::vector<hours_row> own;
    for (size_t i = 0; i < change.rows.size(); ++i)
      if (change.store[i] == s)
        own.push_back(change.rows[i]);
    std::sort(own.begin(), own.end());
    if (static_cast<size_t>(std::unique(own.begin(), own.end()) - own.begin()) > rows_max)
      return too_many(change.stores[s], rows_max, "rows of business hours in one version");
  }
  return {};
}

/// Whether a change makes one interval more of a set.
bool adds_interval(const interval_set& held, const closure_change& change) {
  const auto& span = change.span;
  if (span.empty())
    return false;
  const auto first =
      std::partition_point(held.begin(), held.end(), [&](const interval& i) { return i.to < span.from; });
  const bool meets = first != held.end() && first->from <= span.to;
  return change.withdrawn ? meets && first->from < span.from && first->to > span.to : !meets;
}

struct checker {
  const partition_data& data;
  const fact_limits& limits;
  size_t ahead;

  result<void> operator()(const hours_rows& change) const {
    if (auto fit = check_rows(change, limits.hours_rows_max); !fit || change.valid_from == always_valid)
      return fit;
    for (size_t s = 0; s < change.stores.size(); ++s) {
      const auto* held = data.find(change.stores[s]);
      if (!held || held->hours.size() + ahead < limits.hours_versions_max)
        continue;
      const bool replaces = std::any_of(held->hours.begin(), held->hours.end(), [&](const auto& version) {
        return version.valid_from == change.valid_from;
      });
      if (ahead > 0 || !replaces)
        return too_many(change.stores[s], limits.hours_versions_max, "versions of business hours");
    }
    return {};
  }

  result<void> operator()(const closure_change& change) const {
    const auto* held = data.find(change.store);
    if ((held ? held->closures.size() : 0) + ahead < limits.closures_max)
      return {};
    if (ahead > 0 || !held || adds_interval(held->closures, change))
      return too_many(change.store, limits.closures_max, "planned closures");
    return {};
  }

  template <class Other>
  result<void> operator()(const Other&) const {
    return {};
  }
};

} // namespace

result<void> check_limits(const update& change, const partition_data& data, const fact_limits& limits,
                          size_t ahead) {
  return std::visit(checker{data, limits, ahead}, change);
}

} // namespace storemon::partition
