#pragma once

#include "storemon/protocol/actors.hpp"
#include "storemon/report/file_cache.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace storemon::report {

using file_ptr = std::shared_ptr<const protocol::report_file>;

/// ARCHIVE: the reports that the journal keeps, and the texts of those used last.
using archive_actor = caf::typed_actor<
    /// Keeps a report, new or again, in the order asked; answers and fails as the journal does. A file given
    /// with it is then in the cache.
    protocol::op<bool, protocol::put_atom, std::shared_ptr<const protocol::stored_report>, file_ptr>,
    /// Forgets reports: those the journal fails to forget it is told again with the next.
    caf::reacts_to<protocol::drop_atom, std::vector<std::string>>,
    /// All reports kept, as the journal answers.
    protocol::op<std::shared_ptr<const std::vector<protocol::stored_report>>, protocol::reports_atom>,
    /// The file of a complete report, from the cache or the journal. Fails with damaged where that has other
    /// bytes than were put, busy when too many are being read, and as the journal does.
    protocol::op<file_ptr, protocol::file_atom, protocol::report_status>>;

struct archive_options {
  protocol::journal_actor journal; ///< not null
  /// Texts that are kept in memory besides the journal.
  size_t cache_bytes_max = size_t{64} << 20;
  /// Texts read from the journal at once; each takes its size in memory, wherever the cache's bound is.
  size_t loads_max = 4;
  std::function<void(const std::string&)> log_error; ///< takes a sentence; set
};

class archive_state {
public:
  static inline const char* name = "archive";

  void start(archive_actor::pointer self, archive_options options);

  caf::result<bool> put(const std::shared_ptr<const protocol::stored_report>& report, const file_ptr& file);
  void drop(const std::vector<std::string>& ids);
  caf::result<file_ptr> file(const protocol::report_status& of);

private:
  void load(const protocol::report_status& of);
  void loaded(const std::string& id, const file_ptr& file);
  void failed(const std::string& id, const caf::error& why);

  archive_actor::pointer self_ = nullptr;
  archive_options options_;
  file_cache cache_{0};
  std::map<std::string, std::vector<caf::typed_response_promise<file_ptr>>> loads_; // by report: who waits
  std::vector<std::string> to_drop_;
};

archive_actor::behavior_type archive(archive_actor::stateful_pointer<archive_state> self,
                                     archive_options options);

} // namespace storemon::report
