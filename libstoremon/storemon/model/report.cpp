#include "storemon/model/report.hpp"

#include <algorithm>
#include <array>

namespace storemon {

namespace {

using namespace std::chrono_literals;

constexpr std::array<std::pair<std::string_view, duration>, 3> standard_windows{
    {{"last_hour", 1h}, {"last_day", 24h}, {"last_week", 168h}}};

constexpr size_t window_name_bytes_max = 32;

error invalid(std::string detail) {
  return {errc::invalid_argument, std::move(detail)};
}

result<void> check_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.empty() || name.size() > window_name_bytes_max || !std::all_of(name.begin(), name.end(), allowed))
    return invalid("window name '" + std::string(name) + "': 1 to 32 of a-z, 0-9 and _ are allowed");
  for (const auto& [standard, length] : standard_windows)
    if (name == standard)
      return invalid("window name '" + std::string(name) + "' is one of the standard windows");
  return {};
}

result<void> check_end(const window& w, instant as_of) {
  if (w.span.to > as_of)
    return invalid("window '" + w.name + "' ends at " + to_rfc3339(w.span.to) + ", after as_of " +
                   to_rfc3339(as_of));
  return {};
}

} // namespace

std::string_view to_string(observation_scope scope) noexcept {
  switch (scope) {
  case observation_scope::session:
    return "session";
  case observation_scope::business:
    return "business";
  case observation_scope::all:
    return "all";
  }
  return "session";
}

std::optional<observation_scope> parse_scope(std::string_view text) noexcept {
  for (auto scope : {observation_scope::session, observation_scope::business, observation_scope::all})
    if (text == to_string(scope))
      return scope;
  return std::nullopt;
}

std::string_view to_string(column_set columns) noexcept {
  return columns == column_set::loop ? "loop" : "full";
}

std::optional<column_set> parse_columns(std::string_view text) noexcept {
  for (auto columns : {column_set::loop, column_set::full})
    if (text == to_string(columns))
      return columns;
  return std::nullopt;
}

result<window> parse_window(std::string_view text) {
  const auto equals = text.find('=');
  const auto dots = text.find("..", equals == std::string_view::npos ? 0 : equals);
  if (equals == std::string_view::npos || dots == std::string_view::npos)
    return invalid("window '" + std::string(text) + "': NAME=FROM..TO is expected");
  window w{std::string(text.substr(0, equals)), {}};
  if (auto name = check_name(w.name); !name)
    return name.error();
  const auto from = parse_instant(text.substr(equals + 1, dots - equals - 1));
  const auto to = parse_instant(text.substr(dots + 2));
  if (!from || !to)
    return invalid("window '" + w.name + "': FROM and TO are timestamps such as 2023-01-25T18:00:00Z");
  w.span = {*from, *to};
  if (w.span.empty())
    return invalid("window '" + w.name + "': FROM must be before TO");
  return w;
}

result<void> validate(const report_request& request) {
  if (request.windows.size() > custom_windows_max)
    return invalid("at most " + std::to_string(custom_windows_max) + " custom windows are allowed, " +
                   std::to_string(request.windows.size()) + " were asked for");
  if (!request.windows.empty() && request.columns != column_set::full)
    return invalid("custom windows are shown by the columns 'full' only");
  for (size_t i = 0; i < request.windows.size(); ++i) {
    const auto& w = request.windows[i];
    if (auto name = check_name(w.name); !name)
      return name;
    if (w.span.empty())
      return invalid("window '" + w.name + "': FROM must be before TO");
    for (size_t k = 0; k < i; ++k)
      if (request.windows[k].name == w.name)
        return invalid("window name '" + w.name + "' is used twice");
    if (request.as_of)
      if (auto end = check_end(w, *request.as_of); !end)
        return end;
  }
  return {};
}

result<report_spec> resolve(const report_request& request, instant as_of) {
  report_spec spec{request.estimator, request.scope, as_of, {}};
  for (const auto& [name, length] : standard_windows)
    spec.windows.push_back({std::string(name), {as_of - length, as_of}});
  for (const auto& w : request.windows) {
    if (auto end = check_end(w, as_of); !end)
      return end.error();
    spec.windows.push_back(w);
  }
  return spec;
}

horizon horizon_of(const window& w, instant as_of) noexcept {
  using std::chrono::days;
  return {std::min(as_of, w.span.from + days(7)) - days(28), as_of};
}

} // namespace storemon
