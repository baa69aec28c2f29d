#include "storemon/http/router.hpp"

#include "storemon/http/status.hpp"

#include <utility>

namespace storemon::http {

namespace {

boost::asio::awaitable<response> ready(response answer) {
  co_return answer;
}

void allow(std::string& list, std::string_view method) {
  if (!list.empty())
    list += ", ";
  list += method;
}

} // namespace

void router::add(std::string method, std::string path, effect does, route_handler handler,
                 std::optional<body_rule> body) {
  constexpr std::string_view parameter = "{}";
  std::string rest;
  const auto at = path.find(parameter);
  const bool has_parameter = at != std::string::npos;
  if (has_parameter) {
    rest = path.substr(at + parameter.size());
    path.resize(at);
  }
  entries_.push_back(
      {std::move(method), std::move(path), std::move(rest), has_parameter, does, std::move(handler), body});
}

std::optional<std::string_view> router::match(const entry& e, std::string_view path) noexcept {
  if (!e.has_parameter)
    return path == e.path ? std::optional(std::string_view()) : std::nullopt;
  if (path.size() <= e.path.size() + e.rest.size() || !path.starts_with(e.path) || !path.ends_with(e.rest))
    return std::nullopt;
  path.remove_prefix(e.path.size());
  path.remove_suffix(e.rest.size());
  return path.find('/') != std::string_view::npos ? std::nullopt : std::optional(path);
}

std::optional<body_rule> router::rule_for(const request& asked) const {
  for (const auto& e : entries_)
    if (e.method == asked.method && match(e, asked.path))
      return e.body;
  return std::nullopt;
}

boost::asio::awaitable<response> router::dispatch(const request& asked) const {
  const bool head = asked.method == "HEAD";
  std::string allowed;
  for (const auto& e : entries_) {
    const auto parameter = match(e, asked.path);
    if (!parameter && asked.path != "*")
      continue;
    if (parameter && (head ? e.takes_head() : e.method == asked.method)) {
      auto refused = guard_ ? guard_(asked, e.does, e.body && e.body->streamed) : std::nullopt;
      return refused ? ready(std::move(*refused)) : e.handler(asked, decode_part(*parameter));
    }
    if (allowed.find(e.method) == std::string::npos)
      allow(allowed, e.method);
    if (e.takes_head() && allowed.find("HEAD") == std::string::npos)
      allow(allowed, "HEAD");
  }
  if (allowed.empty())
    return ready(problem(404, to_string(errc::not_found), "nothing is served at " + asked.path));
  allow(allowed, "OPTIONS");
  if (asked.method == "OPTIONS")
    return ready({204, {{"Allow", allowed}}, std::string()});
  auto refused = problem(405, "method_not_allowed", asked.path + " answers to " + allowed);
  refused.fields.push_back({"Allow", allowed});
  return ready(std::move(refused));
}

} // namespace storemon::http
