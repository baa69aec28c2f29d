#include "storemon/backtest/contender.hpp"

#include "storemon/backtest/parallel.hpp"

#include <algorithm>
#include <array>

namespace storemon::backtest {

using namespace std::chrono_literals;
using estimate::store_view;

namespace {

constexpr std::string_view telegraph_name = "telegraph";
constexpr std::string_view poll_count_name = "poll_count";
constexpr std::string_view poll_ratio_name = "poll_ratio";

constexpr std::array<std::string_view, 7> all_names{
    "capped_nearest", "nearest", "linear", "carry_forward", poll_ratio_name, poll_count_name, telegraph_name};

/// On either side of an instant that is asked about.
duration reach_of(std::string_view name) noexcept {
  return name == poll_count_name || name == poll_ratio_name ? duration(12h) : duration(1s);
}

/// estimate::fit, to the bit.
estimate::class_weights fit_in_parallel(std::span<const estimate::class_likelihoods> rows) {
  auto weights = estimate::equal_weights();
  std::vector<estimate::class_counts> parts(stretches(rows.size()));
  for (int round = 0; round < estimate::fit_rounds; ++round) {
    in_stretches(rows.size(), [&](size_t part, size_t first, size_t last) {
      parts[part] = {};
      for (const auto& row : rows.subspan(first, last - first))
        parts[part].add(row, weights);
    });
    estimate::class_counts all;
    for (const auto& part : parts)
      all += part;
    weights = all.weights();
  }
  return weights;
}

} // namespace

std::span<const std::string_view> contender::names() noexcept {
  return all_names;
}

std::optional<contender> contender::find(std::string_view name) noexcept {
  const auto known = std::find(all_names.begin(), all_names.end(), name);
  if (known == all_names.end())
    return std::nullopt;
  return contender(*known, name == telegraph_name ? nullptr : estimate::find_estimator(name));
}

lesson::lesson(std::span<const sight> stores, bool with_telegraph) {
  std::vector<const sight*> observed;
  for (const auto& s : stores) {
    counts_.active += s.counts().active;
    counts_.observed += s.counts().observed;
    if (!with_telegraph)
      continue;
    row_of_.emplace_back();
    if (s.counts().observed == 0)
      continue;
    row_of_.back() = observed.size();
    observed.push_back(&s);
  }
  if (!with_telegraph)
    return;
  rows_.resize(observed.size());
  in_stretches(rows_.size(), [&](size_t, size_t first, size_t last) {
    for (auto i = first; i < last; ++i)
      rows_[i] = estimate::likelihoods_of(observed[i]->view({}));
  });
  weights_ = fit_in_parallel(rows_);
}

std::optional<estimate::telegraph> lesson::telegraph_of(size_t store) const noexcept {
  if (row_of_.empty() || !row_of_[store])
    return std::nullopt;
  return estimate::telegraph(rows_[*row_of_[store]], weights_);
}

std::optional<claim> answers::uptime(const contender& of, const store_view& view) const {
  if (!of.rule()) {
    if (!telegraph_)
      return std::nullopt;
    const auto figures = estimate::round(telegraph_->believe(view), view.open);
    return claim{static_cast<double>(figures.mean),
                 claim::bounds{static_cast<double>(figures.low), static_cast<double>(figures.high)}};
  }
  const auto known = of.rule()->judge(view, observation_scope::session);
  measure m;
  m.scheduled = view.open;
  m.uptime = known.uptime;
  m.downtime = known.downtime;
  m.imputed = known.imputed;
  m.observations = view.observed_in_window;
  m.horizon_active = store_.counts().active;
  m.horizon_observed = store_.counts().observed;
  const auto figures = of.rule()->settle(m, fleet_.counts());
  const auto judged = static_cast<double>(figures.uptime + figures.downtime);
  if (judged == 0)
    return std::nullopt;
  const auto uptime = static_cast<double>(figures.uptime);
  return claim{of.name() == poll_count_name ? uptime : uptime * static_cast<double>(view.open) / judged, {}};
}

std::optional<double> answers::chance_active(const contender& of, instant at) const {
  if (!of.rule()) {
    if (!telegraph_)
      return std::nullopt;
    // A session's begin does not belong to it there, but a poll right at it does.
    const auto view = store_.view({at, at + duration(1)});
    const auto chance = telegraph_->active_at(view, at);
    return chance ? chance : telegraph_->active_at(view, at + duration(1));
  }
  const auto reach = reach_of(of.name());
  const auto view = store_.view({at - reach, at + reach});
  const auto claimed = uptime(of, view);
  if (!claimed)
    return std::nullopt;
  return claimed->uptime / static_cast<double>(view.open);
}

} // namespace storemon::backtest
