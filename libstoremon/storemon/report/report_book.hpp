#pragma once

#include "storemon/protocol/messages.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace storemon::report {

/// How many finished reports stay, and how many bytes of files; the oldest go first, the newest always stays.
struct keep_limits {
  size_t reports_max = 100;
  size_t bytes_max = size_t{512} << 20;
};

/// The reports the coordinator knows: those running, and the newest finished ones.
class report_book {
public:
  explicit report_book(keep_limits limits) : limits_(limits) {}

  /// Enters a new running report; its id is new.
  protocol::report_status& open(protocol::report_status status);

  /// The report of that id; nullptr when there is none (any more).
  protocol::report_status* find(const std::string& id);

  /// Ends a running report and makes room for it among the kept ones.
  void close(const std::string& id, protocol::report_state state, instant now);

  /// `store_report_YYYYMMDD_HHMMSS.csv` of that instant; where a report kept has that name, `_2`, `_3` …
  /// before the ending, so that a name always means one file.
  std::string free_file_name(instant now) const;

  /// The finished file of that name; nullptr when there is none (any more).
  std::shared_ptr<const protocol::report_file> find_file(std::string_view name) const;

  /// Newest first.
  std::vector<protocol::report_status> list() const;

  size_t running() const noexcept { return running_; }

private:
  keep_limits limits_;
  size_t running_ = 0;
  size_t kept_bytes_ = 0;
  std::unordered_map<std::string, protocol::report_status> reports_;
  std::deque<std::string> finished_; // ids, oldest first
};

} // namespace storemon::report
