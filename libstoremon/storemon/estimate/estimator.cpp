#include "storemon/estimate/estimator.hpp"

#include "storemon/estimate/estimators.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace storemon::estimate {

namespace {

/// The default first.
const auto& all_estimators() noexcept {
  static const std::array<const estimator*, 7> all{&capped_nearest(), &nearest(),    &linear(),
                                                   &carry_forward(),  &poll_ratio(), &poll_count(),
                                                   &telegraph_chain()};
  return all;
}

void append(std::string& list, std::string_view name) {
  if (!list.empty())
    list += ", ";
  list += name;
}

std::string scopes_of(const estimator& e) {
  std::string scopes;
  for (auto scope : {observation_scope::session, observation_scope::business, observation_scope::all})
    if (e.supports(scope))
      append(scopes, to_string(scope));
  return scopes;
}

} // namespace

figures estimator::settle(const measure& m, const fleet_counts&) const {
  figures f;
  f.scheduled = m.scheduled;
  f.uptime = m.uptime;
  f.downtime = m.downtime;
  f.unknown = m.scheduled - m.excluded - m.uptime - m.downtime;
  f.excluded = m.excluded;
  f.observations = m.observations;
  return f;
}

const estimator* find_estimator(std::string_view name) noexcept {
  const auto& all = all_estimators();
  const auto found = std::find_if(all.begin(), all.end(), [&](auto* e) { return e->name() == name; });
  return found == all.end() ? nullptr : *found;
}

std::string_view estimator_names() noexcept {
  static const std::string names = [] {
    std::string list;
    for (const auto* e : all_estimators())
      append(list, e->name());
    return list;
  }();
  return names;
}

result<void> validate(const report_request& request) {
  const auto* e = find_estimator(request.estimator);
  if (!e)
    return error{errc::invalid_argument, "there is no estimator '" + request.estimator +
                                             "'; there are: " + std::string(estimator_names())};
  if (!e->supports(request.scope))
    return error{errc::invalid_argument, "estimator '" + request.estimator + "' does not know the scope '" +
                                             std::string(to_string(request.scope)) +
                                             "'; allowed: " + scopes_of(*e)};
  return storemon::validate(request);
}

} // namespace storemon::estimate
