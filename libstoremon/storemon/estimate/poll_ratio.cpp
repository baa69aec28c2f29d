#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/exact.hpp"

namespace storemon::estimate {

namespace {

class poll_ratio_estimator final : public estimator {
public:
  std::string_view name() const noexcept override { return "poll_ratio"; }

  bool supports(observation_scope scope) const noexcept override {
    return scope == observation_scope::session;
  }

  known judge(const store_view& view, observation_scope) const override {
    if (view.observed_in_window == 0)
      return {};
    const auto active = static_cast<uint128>(view.open) * static_cast<uint128>(view.active_in_window);
    const auto uptime = divide_half_even(active, static_cast<uint128>(view.observed_in_window));
    return {uptime, view.open - uptime, 0};
  }
};

} // namespace

const estimator& poll_ratio() noexcept {
  static const poll_ratio_estimator only;
  return only;
}

} // namespace storemon::estimate
