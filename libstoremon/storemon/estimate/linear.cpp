#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/exact.hpp"
#include "storemon/estimate/gap_walk.hpp"

namespace storemon::estimate {

namespace {

/// Microseconds with a binary fraction of 64 bits.
constexpr int fraction_bits = 64;

uint128 fixed(duration d) {
  return static_cast<uint128>(d.count()) << fraction_bits;
}

/// The area under a line from 0 to 1 across `gap`, from `begin` to `end`: (end^2 - begin^2) / (2 gap). The
/// remainder is shifted, not the numerator, so that even gaps of millennia fit 128 bits.
uint128 rising_area(duration gap, duration begin, duration end) {
  const auto numerator =
      static_cast<uint128>((end - begin).count()) * static_cast<uint128>((end + begin).count());
  const auto denominator = static_cast<uint128>(2 * gap.count());
  return (numerator / denominator << fraction_bits) +
         (numerator % denominator << fraction_bits) / denominator;
}

struct linear_rule {
  uint128 active = 0;

  void beside(bool state, duration near, duration far) { active += fixed(far - near) * state; }

  void whole(bool left, bool right, duration gap) { active += fixed(gap) * (left + right) / 2; }

  void part(bool left, bool right, duration gap, duration begin, duration end) {
    if (left == right)
      active += fixed(end - begin) * left;
    else if (right)
      active += rising_area(gap, begin, end);
    else
      active += fixed(end - begin) - rising_area(gap, begin, end);
  }
};

class linear_estimator final : public estimator {
public:
  std::string_view name() const noexcept override { return "linear"; }

  bool supports(observation_scope) const noexcept override { return true; }

  known judge(const store_view& view, observation_scope scope) const override {
    linear_rule rule;
    const auto judged = walk_window(view, scope, rule);
    const auto uptime = divide_half_even(rule.active, static_cast<uint128>(1) << fraction_bits);
    return {uptime, judged.count() - uptime, 0};
  }
};

} // namespace

const estimator& linear() noexcept {
  static const linear_estimator only;
  return only;
}

} // namespace storemon::estimate
