#include "storemon/estimate/estimators.hpp"

#include <algorithm>

namespace storemon::estimate {

namespace {

constexpr duration poll_worth = std::chrono::hours(1);

class poll_count_estimator final : public estimator {
public:
  std::string_view name() const noexcept override { return "poll_count"; }

  bool supports(observation_scope scope) const noexcept override {
    return scope == observation_scope::session;
  }

  known judge(const store_view& view, observation_scope) const override {
    const auto inactive = view.observed_in_window - view.active_in_window;
    const auto uptime = std::min(view.open, poll_worth.count() * view.active_in_window);
    const auto downtime = std::min(view.open - uptime, poll_worth.count() * inactive);
    return {uptime, downtime, 0};
  }
};

} // namespace

const estimator& poll_count() noexcept {
  static const poll_count_estimator only;
  return only;
}

} // namespace storemon::estimate
