#include "storemon/node/settings.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <utility>

namespace storemon::node {

namespace {

constexpr std::array<std::string_view, 6> level_names{"trace", "debug", "info", "warn", "error", "off"};

std::optional<uint32_t> parse_number(std::string_view text, uint32_t min, uint32_t max) {
  uint32_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < min || value > max)
    return std::nullopt;
  return value;
}

bool is_ip_address(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

/// A forgotten value would otherwise swallow the option after it.
bool is_not_an_option(const std::string& text) {
  return !text.starts_with("--");
}

bool is_node_name(const std::string& text) {
  constexpr size_t length_max = 32;
  return !text.empty() && text.size() <= length_max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::optional<host_port> parse_loopback(std::string_view text, uint32_t port_min) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return std::nullopt;
  const auto port = parse_number(text.substr(colon + 1), port_min, 65535);
  if (!port || !is_loopback(std::string(host)))
    return std::nullopt;
  return host_port{std::string(host), static_cast<uint16_t>(*port)};
}

std::string show_end(const std::optional<host_port>& end) {
  if (!end)
    return "";
  const bool v6 = end->host.find(':') != std::string::npos;
  return (v6 ? "[" + end->host + "]" : end->host) + ":" + std::to_string(end->port);
}

/// The parts of a comma-separated list, each of which is good and none there twice; nothing where one is not.
template <class IsGood>
std::optional<std::vector<std::string>> split_list(std::string_view text, IsGood is_good) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string part(text.substr(0, comma));
    const bool comma_is_last = comma == text.size() - 1;
    if (!is_good(part) || comma_is_last || std::find(parts.begin(), parts.end(), part) != parts.end())
      return std::nullopt;
    parts.push_back(part);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return parts;
}

std::optional<std::vector<std::string>> parse_names(std::string_view text) {
  return split_list(text, is_node_name);
}

std::string show_names(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ",") + name;
  return text;
}

/// A whole number of `min` to `max`; `place` yields the member it belongs to.
template <class Place>
setting number(std::string name, uint32_t min, uint32_t max, Place place, std::string about) {
  using value_type = std::remove_reference_t<decltype(place(std::declval<configuration&>()))>;
  return {std::move(name),
          false,
          std::move(about),
          "a number from " + std::to_string(min) + " to " + std::to_string(max) + " is expected",
          [=](configuration& config, std::string_view text) {
            const auto value = parse_number(text, min, max);
            if (value)
              place(config) = static_cast<value_type>(*value);
            return value.has_value();
          },
          [=](const configuration& config) { return std::to_string(place(config)); }};
}

/// A whole number of seconds, 1 to `max`.
template <class Place>
setting seconds(std::string name, uint32_t max, Place place, std::string about) {
  return {std::move(name),
          false,
          std::move(about),
          "a number of seconds from 1 to " + std::to_string(max) + " is expected",
          [=](configuration& config, std::string_view text) {
            const auto value = parse_number(text, 1, max);
            if (value)
              place(config) = std::chrono::seconds(*value);
            return value.has_value();
          },
          [=](const configuration& config) { return std::to_string(place(config).count()); }};
}

/// A text for which `is_valid` holds.
template <class Place>
setting text(std::string name, bool (*is_valid)(const std::string&), Place place, std::string expects,
             std::string about) {
  return {std::move(name),
          true,
          std::move(about),
          std::move(expects),
          [=](configuration& config, std::string_view given) {
            const std::string value(given);
            if (is_valid(value))
              place(config) = value;
            return is_valid(value);
          },
          [=](const configuration& config) { return place(config); }};
}

constexpr auto loopback_expected =
    "HOST:PORT with a loopback host (127.0.0.0/8, [::1] or localhost), or nothing, is expected: the links "
    "between nodes are not yet encrypted";

/// One end of a link between nodes, or nothing.
template <class Place>
setting link_end(std::string name, uint32_t port_min, Place place, std::string about) {
  return {std::move(name),
          true,
          std::move(about),
          loopback_expected,
          [=](configuration& config, std::string_view text) {
            const auto end = parse_loopback(text, port_min);
            if (end || text.empty())
              place(config) = end;
            return end || text.empty();
          },
          [=](const configuration& config) { return show_end(place(config)); }};
}

/// Texts without blanks, separated by commas, none twice; or nothing.
template <class Place>
setting texts(std::string name, Place place, std::string about) {
  return {std::move(name),
          true,
          std::move(about),
          "texts without blanks, separated by commas, none twice, or nothing, are expected",
          [=](configuration& config, std::string_view given) {
            const auto is_text = [](std::string_view part) {
              return !part.empty() && part.find_first_of(" \t") == std::string_view::npos;
            };
            auto list = split_list(given, is_text);
            if (list)
              place(config) = std::move(*list);
            return list.has_value();
          },
          [=](const configuration& config) { return show_names(place(config)); }};
}

std::vector<setting> http_settings() {
  return {
      text(
          "http.address", is_ip_address, [](auto& c) -> auto& { return c.http.address; },
          "an IPv4 or IPv6 address is expected", "The IP address to serve HTTP on."),
      number(
          "http.port", 0, 65535, [](auto& c) -> auto& { return c.http.port; },
          "The port to serve HTTP on; 0 takes any free one."),
      number(
          "http.connections_max", 1, 100'000, [](auto& c) -> auto& { return c.http.connections_max; },
          "Open connections at a time: bounds file descriptors and memory."),
      number(
          "http.header_bytes_max", 256, 1 << 20, [](auto& c) -> auto& { return c.http.header_bytes_max; },
          "Bytes of a request's header: bounds the memory of a connection."),
      number(
          "http.body_bytes_max", 256, 1 << 30, [](auto& c) -> auto& { return c.http.body_bytes_max; },
          "Bytes of a request's body: bounds the memory of a connection."),
      number(
          "http.ingest_bytes_max", 256, 1 << 30, [](auto& c) -> auto& { return c.http.ingest_bytes_max; },
          "Bytes of a body of observations, sent and unpacked: bounds the memory of a request."),
      number(
          "http.ingest_held_mb_max", 1, 1 << 20, [](auto& c) -> auto& { return c.http.ingest_held_mb_max; },
          "MiB of observations of all requests held at once: bounds memory; more is answered 429."),
      number(
          "http.import_mb_max", 1, 1 << 20, [](auto& c) -> auto& { return c.http.import_mb_max; },
          "MiB of a file sent to be imported: bounds what one upload takes of the disk."),
      number(
          "http.uploads_max", 1, 1024, [](auto& c) -> auto& { return c.http.uploads_max; },
          "Files received to be imported at a time: bounds what they take of the disk."),
      number(
          "http.body_rate_min", 0, 1 << 30, [](auto& c) -> auto& { return c.http.body_rate_min; },
          "Bytes a second that a large body has to come with: frees connections from slow senders."),
      seconds(
          "http.header_timeout", 3600, [](auto& c) -> auto& { return c.http.header_timeout; },
          "Seconds a client may take to send a request's header: frees connections from slow senders."),
      seconds(
          "http.body_timeout", 3600, [](auto& c) -> auto& { return c.http.body_timeout; },
          "Seconds a client may take to send a request's body: frees connections from slow senders."),
      seconds(
          "http.idle_timeout", 3600, [](auto& c) -> auto& { return c.http.idle_timeout; },
          "Seconds a connection is kept open between two requests."),
      texts(
          "http.allowed_hosts", [](auto& c) -> auto& { return c.http.allowed_hosts; },
          "Names by which clients may change something here, comma-separated, besides loopback ones and "
          "http.address."),
      texts(
          "http.allowed_origins", [](auto& c) -> auto& { return c.http.allowed_origins; },
          "Origins (https://host:port), comma-separated, whose pages may change something here."),
  };
}

std::vector<setting> node_settings() {
  return {
      text(
          "node.name", is_node_name, [](auto& c) -> auto& { return c.node.name; },
          "a name of 1 to 32 of a-z, 0-9 and - is expected",
          "The name of this node, by which partitions are placed on it."),
      number(
          "node.partitions", 1, 4096, [](auto& c) -> auto& { return c.node.partitions; },
          "Shares the stores are divided into, one actor each; the same on all nodes of a cluster."),
      number(
          "node.threads", 0, 1024, [](auto& c) -> auto& { return c.node.threads; },
          "Threads that run the actors; 0 takes one for each core."),
      seconds(
          "node.shutdown_timeout", 3600, [](auto& c) -> auto& { return c.node.shutdown_timeout; },
          "Seconds a stopping server waits for the answers under way."),
      text(
          "data.dir", is_not_an_option, [](auto& c) -> auto& { return c.data.dir; },
          "a directory, or nothing, is expected",
          "The directory all data is kept in, made where there is none; empty keeps nothing past the end."),
      number(
          "data.free_min_mb", 0, 1 << 30, [](auto& c) -> auto& { return c.data.free_min_mb; },
          "MiB that stay free on the file system of data.dir: with less, nothing is taken in."),
      number(
          "data.free_min_percent", 0, 99, [](auto& c) -> auto& { return c.data.free_min_percent; },
          "Percent that stay free on the file system of data.dir, likewise; the larger of the two counts."),
      number(
          "data.retention_days", 0, 36'500, [](auto& c) -> auto& { return c.data.retention_days; },
          "Days that journal records are kept although two snapshots cover them, for repair by hand."),
      number(
          "data.observations_max", 1, 10'000'000, [](auto& c) -> auto& { return c.data.observations_max; },
          "Observations of one request: bounds how long the shards are busy with it."),
      number(
          "data.snapshot_records", 1, 1 << 20, [](auto& c) -> auto& { return c.data.snapshot_records; },
          "Journal records of a partition after which a snapshot is taken: bounds the time of a restart."),
      text(
          "data.import", is_not_an_option, [](auto& c) -> auto& { return c.data.import; },
          "a directory, or nothing, is expected",
          "A directory whose CSV feeds are imported at the start; empty imports nothing."),
  };
}

std::vector<setting> cluster_settings() {
  return {
      link_end(
          "cluster.listen", 0, [](auto& c) -> auto& { return c.cluster.listen; },
          "HOST:PORT on which other nodes may join this one, loopback only; empty lets none join."),
      link_end(
          "cluster.join", 1, [](auto& c) -> auto& { return c.cluster.join; },
          "HOST:PORT of the node to join, loopback only; empty joins none."),
      {"cluster.nodes", true,
       "Names of all nodes that hold partitions, comma-separated, this one among them; empty means only this "
       "node.",
       "node names (1 to 32 of a-z, 0-9 and -), separated by commas, none twice, or nothing, are expected",
       [](configuration& c, std::string_view text) {
         auto names = parse_names(text);
         if (names)
           c.cluster.nodes = std::move(*names);
         return names.has_value();
       },
       [](const configuration& c) { return show_names(c.cluster.nodes); }},
  };
}

std::vector<setting> log_and_report_settings() {
  return {
      {"log.level", true, "The least grave message the log keeps: trace, debug, info, warn, error or off.",
       "one of trace, debug, info, warn, error, off is expected",
       [](configuration& c, std::string_view text) {
         const auto level = parse_log_level(text);
         c.log.level = level.value_or(c.log.level);
         return level.has_value();
       },
       [](const configuration& c) { return std::string(to_string(c.log.level)); }},
      number(
          "report.running_max", 1, 1024, [](auto& c) -> auto& { return c.report.running_max; },
          "Reports computed at a time: bounds the work that triggers can pile up."),
      number(
          "report.kept_max", 1, 100'000, [](auto& c) -> auto& { return c.report.kept_max; },
          "Finished reports kept for download: bounds their memory; the oldest goes first."),
      number(
          "report.window_years_max", 1, 10'000, [](auto& c) -> auto& { return c.report.window_years_max; },
          "Years that the windows of a report may have in all: bounds its work before it starts."),
      number(
          "report.cache_mb_max", 0, 1 << 20, [](auto& c) -> auto& { return c.report.cache_mb_max; },
          "MiB of reports' files held in memory besides the disk; 0 holds none."),
      seconds(
          "report.timeout", 86'400, [](auto& c) -> auto& { return c.report.timeout; },
          "Seconds a report may take before it ends as an error."),
  };
}

std::vector<setting> make_settings() {
  auto all = http_settings();
  for (auto&& part : {node_settings(), cluster_settings(), log_and_report_settings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Letters to insert, remove or replace to turn one text into the other.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t k = 0; k < b.size(); ++k) {
      const size_t replaced = diagonal + (a[i] != b[k]);
      diagonal = row[k + 1];
      row[k + 1] = std::min({replaced, row[k] + 1, row[k + 1] + 1});
    }
  }
  return row.back();
}

} // namespace

std::string_view to_string(log_level level) noexcept {
  return level_names[static_cast<size_t>(level)];
}

std::optional<log_level> parse_log_level(std::string_view text) noexcept {
  const auto found = std::find(level_names.begin(), level_names.end(), text);
  if (found == level_names.end())
    return std::nullopt;
  return static_cast<log_level>(found - level_names.begin());
}

const std::vector<setting>& all_settings() {
  static const auto all = make_settings();
  return all;
}

const setting* find_setting(std::string_view name) {
  const auto& all = all_settings();
  const auto found = std::find_if(all.begin(), all.end(), [&](const setting& s) { return s.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string_view nearest_setting(std::string_view name) {
  constexpr size_t distance_max = 3;
  std::string_view nearest;
  auto least = distance_max + 1;
  for (const auto& s : all_settings()) {
    // The last part alone is near, too: 'port' is meant to be 'http.port'.
    const auto last = std::string_view(s.name).substr(s.name.find('.') + 1);
    const auto distance = last == name ? 0 : edit_distance(name, s.name);
    if (distance < least) {
      least = distance;
      nearest = s.name;
    }
  }
  return nearest;
}

std::optional<std::string> contradiction(const configuration& config) {
  const auto& [listen, join, nodes] = config.cluster;
  if (listen && join)
    return "cluster.listen and cluster.join exclude each other: a node is joined, or joins another";
  if (join && config.node.name == node_name_default)
    return "cluster.join needs a node.name of its own, not the default '" + std::string(node_name_default) +
           "'";
  if (!nodes.empty() && std::find(nodes.begin(), nodes.end(), config.node.name) == nodes.end())
    return "cluster.nodes=" + show_names(nodes) + ": node.name '" + config.node.name +
           "' is expected among them";
  if (nodes.size() > 1 && !listen && !join)
    return "cluster.nodes=" + show_names(nodes) + " needs cluster.listen or cluster.join to reach the others";
  return std::nullopt;
}

} // namespace storemon::node
