#pragma once

#include "storemon/protocol/messages.hpp"

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace storemon::report {

/// How many finished reports stay, and how many bytes of CSV; the oldest go first, the newest always stays.
struct keep_limits {
  size_t reports_max = 100;
  uint64_t bytes_max = uint64_t{512} << 20;
};

/// The reports the coordinator knows: those running, and the newest finished ones.
class report_book {
public:
  explicit report_book(keep_limits limits) : limits_(limits) {}

  /// Enters a new running report; its id is new.
  protocol::report_status& open(protocol::report_status status);

  /// The report of that id; nullptr when there is none (any more).
  protocol::report_status* find(const std::string& id);

  /// Ends a running report, or enters one that ended before: it stands as given from now on.
  /// @returns the ids of the finished reports that made room for it, and are gone.
  std::vector<std::string> close(protocol::report_status finished);

  /// Gives the report its file's name, `store_report_YYYYMMDD_HHMMSS.csv` of that instant; where a report
  /// kept has that name, `_2`, `_3` … before the ending, so that a name always means one file. One that does
  /// not become complete loses it again.
  std::string name_file(const std::string& id, instant now);

  /// The complete report whose file has that name; nullptr when there is none (any more).
  const protocol::report_status* find_file(const std::string& name) const;

  /// Newest first.
  std::vector<protocol::report_status> list() const;

  size_t running() const noexcept { return running_; }

private:
  keep_limits limits_;
  size_t running_ = 0;
  uint64_t kept_bytes_ = 0;
  std::unordered_map<std::string, protocol::report_status> reports_;
  std::unordered_map<std::string, std::string> names_; // file name -> id
  std::deque<std::string> finished_;                   // ids, oldest first
};

} // namespace storemon::report
