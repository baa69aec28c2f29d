#pragma once

#include "storemon/protocol/actors.hpp"
#include "storemon/report/csv.hpp"
#include "storemon/report/report_book.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace storemon::report {

struct coordinator_options {
  /// Reports computed at once; one more is refused as busy, for mailboxes have no end of their own.
  size_t running_max = 4;
  /// What is kept of finished reports.
  keep_limits keep;
  /// A report whose shards keep silent so long fails, naming their partitions.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  /// Slices a report has under way at once: enough to keep every worker busy, few enough that other messages
  /// do not wait behind a queue of them.
  size_t slices_in_flight = 4;
  /// Actors that write a report's text, a piece each: as many as there are workers.
  size_t writers = 1;
  /// Where the hour and new ids come from, so that tests can say.
  std::function<instant()> now;
  std::function<std::string()> new_id;
};

/// What the coordinator hears besides its clients: its own timers, and the writers of its reports.
using coordinator_self = protocol::coordinator_actor::extend<
    /// The time of a report is over.
    caf::reacts_to<protocol::deadline_atom, std::string>,
    /// A report's text is written.
    caf::reacts_to<protocol::done_atom, std::string, std::shared_ptr<protocol::report_file>>>;

/// The reports under way. Each goes through three steps: a census of all shards fixes "now" and the number of
/// stores; slices of rows are asked of every shard until it has no more; a writer of its own makes the text,
/// so that polls are answered meanwhile.
class coordinator_state {
public:
  static inline const char* name = "coordinator";

  void start(coordinator_self::pointer self, coordinator_options options);

  caf::result<std::string> trigger(report_request request);
  caf::result<protocol::report_status> poll(const std::string& id);
  caf::result<protocol::report_status> cancel(const std::string& id);
  caf::result<std::shared_ptr<const protocol::report_file>> file(const std::string& name);
  caf::result<protocol::shared_quality> quality();
  caf::result<bool> stop();

  std::vector<protocol::report_status> list() const { return book_.list(); }

  void placed(std::vector<protocol::shard_actor> shards);
  void deadline(const std::string& id);
  void written(const std::string& id, std::shared_ptr<protocol::report_file> file);
  void shard_down(const caf::actor_addr& gone);

private:
  /// A report being computed.
  struct job {
    std::set<uint32_t> waiting; ///< partitions that have not yet given all they have been asked for
    protocol::census counted;
    protocol::shared_spec spec;
    std::map<uint32_t, std::string> to_ask; ///< partition -> ask for the rows after this id
    size_t in_flight = 0;
    report_parts parts;
  };

  /// A question about the quality of all data.
  struct survey {
    caf::typed_response_promise<protocol::shared_quality> answer;
    std::set<uint32_t> waiting;
    protocol::data_quality sum;
  };

  void take_census(const std::string& id);
  void counted(const std::string& id, uint32_t partition, const protocol::census& c);
  void ask_rows(const std::string& id);
  void gathered(const std::string& id, uint32_t partition, const protocol::shared_columns& slice);
  void write(const std::string& id);
  void finish(const std::string& id, protocol::report_state state);
  void fail(const std::string& id, error why);
  void lost(const std::string& id, uint32_t partition);
  void lost(uint32_t partition);
  void surveyed(uint64_t number, uint32_t partition, const protocol::data_quality& part);
  void survey_failed(uint64_t number, uint32_t partition);
  std::set<uint32_t> without_shard() const;
  std::string names_of(const std::set<uint32_t>& partitions) const;

  coordinator_self::pointer self_ = nullptr;
  coordinator_options options_;
  report_book book_{keep_limits{}};
  std::map<std::string, job> jobs_; // the running reports
  std::map<uint64_t, survey> surveys_;
  uint64_t last_survey_ = 0;
  std::vector<protocol::shard_actor> shards_;
  std::vector<caf::typed_response_promise<bool>>
      stopping_; // whom to tell when the last running report is over
  bool stopped_ = false;
};

/// COORDINATOR. Monitors the shards it is given: of a shard that is gone CAF answers no request.
coordinator_self::behavior_type coordinator(coordinator_self::stateful_pointer<coordinator_state> self,
                                            coordinator_options options);

/// A random UUID (version 4) in its canonical form.
std::string random_uuid();

} // namespace storemon::report

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<storemon::protocol::report_file>)
