#include "storemon/http/portrait_json.hpp"

#include "storemon/http/report_json.hpp"
#include "storemon/http/status.hpp"
#include "storemon/model/local_text.hpp"

#include <boost/json.hpp>

namespace storemon::http {

namespace json = boost::json;
using namespace protocol;

namespace {

/// A number given in millionths.
json::value millionths_json(int64_t number) {
  return static_cast<double>(number) / 1e6;
}

/// A length in seconds.
json::value seconds_json(int64_t us) {
  return millionths_json(us);
}

json::value chance_json(int64_t millionths) {
  return millionths == no_chance ? json::value(nullptr) : millionths_json(millionths);
}

std::string_view to_string(store_status status) {
  return status == store_status::active ? "active" : "inactive";
}

std::string_view to_string(stretch_state state) {
  switch (state) {
  case stretch_state::down:
    return "down";
  case stretch_state::up:
    return "up";
  case stretch_state::unknown:
    return "unknown";
  }
  return "unknown";
}

json::object hours_json(const hours_version& version) {
  json::array rows;
  for (const auto& row : version.rows)
    rows.push_back({{"day", row.day}, {"start", time_text(row.start)}, {"end", time_text(row.end)}});
  return {{"valid_from", date_json(version.valid_from)}, {"hours", std::move(rows)}};
}

json::object card_json(std::string_view store, const store_card& card) {
  json::array hours;
  for (const auto& version : card.hours)
    hours.push_back(hours_json(version));
  json::object out{{"store_id", utf8(store)},
                   {"timezone", card.zone.empty() ? json::value(nullptr) : json::value(utf8(card.zone))},
                   {"timezone_known", card.zone_known},
                   {"business_hours", std::move(hours)},
                   {"closures", spans_json(card.closures)},
                   {"observations", card.observations},
                   {"conflicts", card.conflicts},
                   {"oldest_observation", instant_json(card.oldest)},
                   {"newest_observation", instant_json(card.newest)},
                   {"newest_status", nullptr}};
  if (card.newest)
    out["newest_status"] = to_string(card.newest_status);
  return out;
}

/// @param observed  whether there are bounds.
json::object figures_json(const window_figures& figures, bool observed) {
  const auto bound = [&](int64_t us) { return observed ? seconds_json(us) : json::value(nullptr); };
  return {{"scheduled_s", seconds_json(figures.is.scheduled)},
          {"uptime_s", seconds_json(figures.is.uptime)},
          {"uptime_low_s", bound(figures.uptime.low)},
          {"uptime_high_s", bound(figures.uptime.high)},
          {"downtime_s", seconds_json(figures.is.downtime)},
          {"unknown_s", seconds_json(figures.is.unknown)},
          {"excluded_s", seconds_json(figures.is.excluded)},
          {"imputed_s", seconds_json(figures.is.imputed)},
          {"observations", figures.is.observations},
          {"observed_share", chance_json(figures.observed_share)}};
}

json::object habits_json(const store_habits& habits) {
  return {{"failures_per_day", millionths_json(habits.failures_per_day)},
          {"mean_outage_s", seconds_json(habits.mean_outage)},
          {"active_at_opening", chance_json(habits.active_at_opening)}};
}

} // namespace

json::object span_json(const interval& span) {
  return {{"from", to_rfc3339(span.from)}, {"to", to_rfc3339(span.to)}};
}

json::array spans_json(const interval_set& spans) {
  json::array list;
  for (const auto& span : spans)
    list.push_back(span_json(span));
  return list;
}

json::value date_json(std::chrono::local_days date) {
  return date == always_valid ? json::value(nullptr) : json::value(date_text(date));
}

json::object portrait_json(std::string_view store, const store_portrait& portrait, instant now) {
  auto out = card_json(store, portrait.card);
  out["last_poll_age_s"] =
      portrait.card.newest ? seconds_json((now - *portrait.card.newest).count()) : json::value(nullptr);
  out["as_of"] = to_rfc3339(portrait.as_of);
  out["open_now"] = portrait.open_now;
  out["active_now"] = chance_json(portrait.active_now);
  out["hours_in_force"] = hours_json(portrait.in_force);
  out["estimator"] = "telegraph";
  out["weights"] = weights_json(portrait.weights);
  json::object figures;
  for (const auto& window : portrait.figures)
    figures[window.asked.name] = figures_json(window, portrait.habits.has_value());
  out["figures"] = std::move(figures);
  out["habits"] = portrait.habits ? json::value(habits_json(*portrait.habits)) : json::value(nullptr);
  // Weights that were not fitted yet say nothing of a fleet.
  const bool fitted = portrait.weights.version > 0;
  out["fleet_habits"] = fitted ? json::value(habits_json(portrait.fleet)) : json::value(nullptr);
  return out;
}

json::object timeline_json(std::string_view store, const store_timeline& timeline) {
  json::array observations;
  for (const auto o : timeline.observations)
    observations.push_back({{"at", to_rfc3339(o.at())}, {"status", to_string(o.status())}});
  json::array stretches;
  for (const auto& stretch : timeline.stretches) {
    auto told = span_json(stretch.span);
    told["state"] = to_string(stretch.state);
    stretches.push_back(std::move(told));
  }
  json::array curve;
  for (const auto& point : timeline.curve)
    curve.push_back({{"at", to_rfc3339(point.at)}, {"active", chance_json(point.active)}});
  return {{"store_id", utf8(store)},
          {"as_of", to_rfc3339(timeline.as_of)},
          {"from", to_rfc3339(timeline.span.from)},
          {"to", to_rfc3339(timeline.span.to)},
          {"opening", spans_json(timeline.opening)},
          {"closures", spans_json(timeline.closures)},
          {"observations", std::move(observations)},
          {"stretches", std::move(stretches)},
          {"estimator", "telegraph"},
          {"weights", weights_json(timeline.weights)},
          {"curve", std::move(curve)}};
}

} // namespace storemon::http
