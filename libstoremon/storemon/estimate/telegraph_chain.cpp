#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/telegraph.hpp"

namespace storemon::estimate {

namespace {

class telegraph_estimator final : public estimator {
public:
  std::string_view name() const noexcept override { return "telegraph"; }

  bool supports(observation_scope scope) const noexcept override {
    return scope == observation_scope::session;
  }

  bool weighs_behaviours() const noexcept override { return true; }

  known judge(const store_view& view, observation_scope scope) const override {
    if (view.observed_in_horizon == 0)
      return {};
    const auto uptime = round(view.behaviour->believe(view), view.open);
    return {uptime.mean,
            view.open - uptime.mean,
            capped_nearest().judge(view, scope).imputed,
            {uptime.low, uptime.high}};
  }

  figures settle(const measure& m, const fleet_counts& fleet) const override {
    auto f = estimator::settle(m, fleet);
    f.imputed = m.imputed;
    return f;
  }
};

} // namespace

const estimator& telegraph_chain() noexcept {
  static const telegraph_estimator only;
  return only;
}

} // namespace storemon::estimate
