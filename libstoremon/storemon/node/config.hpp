#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace storemon::node {

/// The least grave message the log keeps.
enum class log_level : uint8_t { trace, debug, info, warn, error, off };

std::string_view to_string(log_level level) noexcept;
std::optional<log_level> parse_log_level(std::string_view text) noexcept;

/// One end of a link between nodes. An IPv6 host is without its brackets.
struct host_port {
  std::string host;
  uint16_t port = 0;

  friend bool operator==(const host_port&, const host_port&) = default;
};

/// The node name of whoever does not set one.
inline constexpr std::string_view node_name_default = "node";

/// Everything `storemond` can be told, each member one setting `group.name`; config/storemond.toml says what
/// each means. A configuration that read_configuration returns is valid: every value in its range, none
/// contradicting another.
struct configuration {
  struct http_group {
    std::string address = "127.0.0.1"; ///< IPv4 or IPv6
    uint16_t port = 8080;              ///< 0: any free one
    uint32_t connections_max = 1000;
    uint32_t header_bytes_max = 8192;
    uint32_t body_bytes_max = 65536;
    uint32_t ingest_bytes_max = 64 << 20;
    uint32_t ingest_held_mb_max = 256; ///< of all requests at once
    uint32_t import_mb_max = 16 << 10;
    uint32_t uploads_max = 4;
    uint32_t body_rate_min = 1024; ///< bytes a second
    std::chrono::seconds header_timeout{5};
    std::chrono::seconds body_timeout{30};
    std::chrono::seconds idle_timeout{30};
    std::vector<std::string> allowed_hosts;   ///< names of this server besides loopback ones and `address`
    std::vector<std::string> allowed_origins; ///< whose pages may change something

    friend bool operator==(const http_group&, const http_group&) = default;
  } http;

  struct node_group {
    std::string name{node_name_default};
    uint32_t partitions = 64;
    uint32_t threads = 0; ///< 0: as many as there are cores
    std::chrono::seconds shutdown_timeout{10};

    friend bool operator==(const node_group&, const node_group&) = default;
  } node;

  struct data_group {
    std::string dir = "storemon-data";   ///< where everything is kept; empty: nothing is
    std::string import;                  ///< a directory; empty: nothing is imported
    uint32_t free_min_mb = 256;          ///< with less room on the file system nothing is taken in
    uint32_t free_min_percent = 5;       ///< likewise
    uint32_t retention_days = 7;         ///< of journal records that snapshots cover
    uint32_t observations_max = 100'000; ///< of one request
    uint32_t snapshot_records = 1024;    ///< of a partition, after which a snapshot is taken

    friend bool operator==(const data_group&, const data_group&) = default;
  } data;

  struct cluster_group {
    std::optional<host_port> listen; ///< loopback only
    std::optional<host_port> join;   ///< loopback only; never together with listen
    std::vector<std::string> nodes;  ///< names of all nodes, node.name among them; empty: only this node

    friend bool operator==(const cluster_group&, const cluster_group&) = default;
  } cluster;

  struct log_group {
    log_level level = log_level::info;

    friend bool operator==(const log_group&, const log_group&) = default;
  } log;

  struct report_group {
    uint32_t running_max = 4;
    uint32_t kept_max = 100;
    uint32_t window_years_max = 25;
    uint32_t cache_mb_max = 64; ///< of reports' files
    std::chrono::seconds timeout{60};

    friend bool operator==(const report_group&, const report_group&) = default;
  } report;

  friend bool operator==(const configuration&, const configuration&) = default;
};

/// What main has to print before it ends without serving.
struct exit_now {
  int code = 0;
  std::string text; ///< ends in a line feed
  bool to_stderr = false;
};

/// Reads the command line, without the program's name, and the TOML file that its `--config FILE` names.
/// The command line beats the file, the file the defaults. Anything unknown, doubled or invalid in either is
/// refused: exit code 2 and one line that names the setting and what would be right.
std::variant<configuration, exit_now> read_configuration(std::span<const std::string> arguments);

} // namespace storemon::node
