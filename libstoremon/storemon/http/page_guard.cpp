#include "storemon/http/page_guard.hpp"

#include "storemon/http/fields.hpp"
#include "storemon/http/negotiate.hpp"
#include "storemon/http/status.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace storemon::http {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// The name in `name`, `name:port` or `[v6]:port`, in lower case and without the dot of the root.
std::string name_of(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const auto end = bracketed ? host.find(']') : host.find(':');
  auto name = lower(host.substr(bracketed ? 1 : 0, end == host.npos ? end : end - (bracketed ? 1 : 0)));
  if (name.ends_with('.'))
    name.pop_back();
  return name;
}

/// An origin without the port that its scheme has anyway.
std::string plain_origin(std::string_view origin) {
  auto text = lower(origin);
  for (const auto& [scheme, port] : {std::pair{"http://", ":80"}, std::pair{"https://", ":443"}})
    if (text.starts_with(scheme) && text.ends_with(port))
      text.erase(text.rfind(port));
  return text;
}

/// Scheme and authority of a `Referer`; nothing where it is no address of a page.
std::optional<std::string> origin_of(std::string_view page) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (same_letters(page.substr(0, scheme.size()), scheme))
      return std::string(page.substr(0, page.find_first_of("/?#", scheme.size())));
  return std::nullopt;
}

bool is_own_host(std::string_view host, const options& limits) {
  const auto name = name_of(host);
  if (name == "localhost" || name.ends_with(".localhost"))
    return true;
  const auto listed = [&](const std::string& allowed) { return name_of(allowed) == name; };
  if (std::any_of(limits.allowed_hosts.begin(), limits.allowed_hosts.end(), listed))
    return true;
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(name, no_address);
  if (no_address)
    return false;
  if (address.is_loopback())
    return true;
  // No page of another server has an address for its name, so where all are bound any will do.
  const auto bound = boost::asio::ip::make_address(limits.address, no_address);
  return !no_address && (bound.is_unspecified() || bound == address);
}

bool is_listed_origin(std::string_view origin, const options& limits) {
  const auto listed = [&](const std::string& allowed) {
    return plain_origin(allowed) == plain_origin(origin);
  };
  return std::any_of(limits.allowed_origins.begin(), limits.allowed_origins.end(), listed);
}

bool is_own_origin(std::string_view origin, const request& asked) {
  const auto host = asked.header("Host");
  return host && (plain_origin(origin) == plain_origin("http://" + *host) ||
                  plain_origin(origin) == plain_origin("https://" + *host));
}

response forbidden(std::string_view code, std::string detail) {
  return problem(403, code, detail);
}

std::optional<response> refuse_origin(const request& asked, const options& limits) {
  auto origin = asked.header("Origin");
  if (!origin)
    origin = origin_of(asked.header("Referer").value_or(""));
  if (origin && is_listed_origin(*origin, limits))
    return std::nullopt;
  const auto site = asked.header("Sec-Fetch-Site").value_or("none");
  const bool own_site = same_letters(site, "none") || same_letters(site, "same-origin");
  if (own_site && (!origin || is_own_origin(*origin, asked)))
    return std::nullopt;
  return forbidden("foreign_origin",
                   "a page of " + in_quotes(origin.value_or("another server")) +
                       " may change nothing here; http.allowed_origins lists those that may");
}

std::optional<response> refuse_type(const request& asked) {
  const auto given = asked.header("Content-Type");
  if (asked.body.empty() || !given)
    return std::nullopt;
  const auto type = media_type(*given);
  // What `curl -d` says of any body. A page can send it unasked, too, but not without an Origin.
  const bool by_habit = type == "application/x-www-form-urlencoded" && !asked.header("Origin") &&
                        !asked.header("Sec-Fetch-Site");
  if (type == "application/json" || by_habit)
    return std::nullopt;
  return problem(415, "unsupported_media_type",
                 "the Content-Type has to be application/json, not " + in_quotes(*given));
}

} // namespace

std::optional<response> refuse_foreign(const request& asked, effect does, bool streamed,
                                       const options& limits) {
  if (does == effect::none)
    return std::nullopt;
  // Only HTTP/1.0 goes without a Host, and no browser speaks it.
  if (const auto host = asked.header("Host"); host && !is_own_host(*host, limits))
    return forbidden("foreign_host", "nothing is changed by requests to " + in_quotes(*host) +
                                         "; http.allowed_hosts lists the names of this server");
  if (auto refused = refuse_origin(asked, limits))
    return refused;
  return streamed ? std::nullopt : refuse_type(asked);
}

} // namespace storemon::http
