#pragma once

#include "storemon/protocol/actors.hpp"
#include "storemon/report/archive_actor.hpp"
#include "storemon/report/csv.hpp"
#include "storemon/report/report_book.hpp"
#include "storemon/report/writer_actor.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace storemon::report {

struct coordinator_options {
  /// Reports computed at once; one more is refused as busy, for mailboxes have no end of their own.
  size_t running_max = 4;
  /// Of all windows of a report together, besides the standard three, and from the begin of each to "now".
  /// With slices cut by time it bounds how long a report works and, at 200 hours rows a week, the opening
  /// intervals of one store to 4.2 MB.
  std::chrono::years window_years_max{25};
  /// What is kept of finished reports.
  keep_limits keep;
  /// Where reports outlive the process; null: nothing is kept.
  protocol::journal_actor journal{};
  /// CSV held in memory of the reports that the journal keeps; 0: none.
  size_t cache_bytes_max = size_t{64} << 20;
  /// Reports' files read from the journal at once, each in memory whole; one more is refused as busy.
  size_t loads_max = 4;
  /// A report whose shards keep silent so long fails, naming their partitions; a journal that keeps silent so
  /// long is not waited for.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  /// A report that loses a partition waits so long for others: a node is lost with all it has, one by one.
  std::chrono::milliseconds losses_within = std::chrono::milliseconds(100);
  /// Slices a report has under way at once: enough to keep every worker busy, few enough that other messages
  /// do not wait behind a queue of them.
  size_t slices_in_flight = 4;
  /// Actors that write a report's text, a piece each: as many as there are workers.
  size_t writers = 1;
  /// Where the hour and new ids come from, so that tests can say.
  std::function<instant()> now;
  std::function<std::string()> new_id;
  /// Takes a sentence for the log.
  std::function<void(const std::string&)> log_error = [](const std::string&) {};
};

/// What the coordinator hears besides its clients: its own timers, and the writers of its reports.
using coordinator_self = protocol::coordinator_actor::extend<
    /// A report has lost partitions, and all that were lost with the first of them are known now.
    caf::reacts_to<protocol::lost_atom, std::string>,
    /// The time of a report is over.
    caf::reacts_to<protocol::deadline_atom, std::string>,
    /// The time of a put into the journal is over.
    caf::reacts_to<protocol::deadline_atom, std::string, uint64_t>,
    /// Ask the journal for its reports again.
    caf::reacts_to<protocol::reports_atom>,
    /// A report's text is written.
    caf::reacts_to<protocol::done_atom, std::string, std::shared_ptr<const written_report>>>;

/// The reports under way. Each goes through three steps: a census of all shards fixes "now" and the number of
/// stores; slices of rows are asked of every shard until it has no more; writers of its own make the text,
/// so that polls are answered meanwhile. With a journal there are two more: the report's begin is put into it
/// while the first steps run, and its end before it is told to be complete.
class coordinator_state {
public:
  static inline const char* name = "coordinator";

  void start(coordinator_self::pointer self, coordinator_options options);

  caf::result<std::string> trigger(report_request request);
  caf::result<protocol::report_status> poll(const std::string& id);
  caf::result<protocol::report_status> cancel(const std::string& id);
  caf::result<std::vector<protocol::report_status>> list();
  caf::result<file_ptr> file(const std::string& name);
  caf::result<protocol::shared_quality> quality();
  caf::result<bool> stop();

  void placed(std::vector<protocol::shard_actor> shards);
  void weigh_with(const protocol::shared_weights& weights);
  void deadline(const std::string& id);
  void fail_lost(const std::string& id);
  void put_deadline(const std::string& id, uint64_t number);
  void restore();
  void written(const std::string& id, const written_report& text);
  void shard_down(const caf::actor_addr& gone);

private:
  /// A report being computed.
  struct job {
    std::set<uint32_t> waiting; ///< partitions that have not yet given all they have been asked for
    protocol::census counted;
    protocol::shared_spec spec;
    std::set<uint32_t> lost;                ///< of those
    std::map<uint32_t, std::string> to_ask; ///< partition -> ask for the rows after this id
    size_t in_flight = 0;
    report_parts parts;
    std::optional<protocol::report_status> ending; ///< what it becomes once the journal has answered
  };

  /// What the journal has not yet answered of a report.
  struct put {
    uint64_t number = 0; ///< of the newest: what it says of one before does not count
    caf::typed_response_promise<std::string> trigger; ///< whom to tell that the report has begun
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
  void finish(protocol::report_status ended, bool keeps_end);
  void fail(const std::string& id, error why, protocol::report_state state = protocol::report_state::failed);
  put& keep(const protocol::report_status& status, std::shared_ptr<const std::string> frames = nullptr);
  void kept(const std::string& id, uint64_t number, bool durable);
  void restored(const std::vector<protocol::stored_report>& reports);
  void close(protocol::report_status ended);
  void answer_stop();
  void lost(const std::string& id, uint32_t partition);
  void lost(uint32_t partition);
  void surveyed(uint64_t number, uint32_t partition, const protocol::data_quality& part);
  void survey_failed(uint64_t number, uint32_t partition);
  std::set<uint32_t> without_shard() const;
  std::string names_of(const std::set<uint32_t>& partitions) const;

  coordinator_self::pointer self_ = nullptr;
  coordinator_options options_;
  report_book book_{keep_limits{}};
  archive_actor archive_;           // null where nothing is kept
  bool restored_ = false;           // whether the book has what the journal keeps
  std::map<std::string, job> jobs_; // the running reports
  std::map<std::string, put> puts_; // by report
  uint64_t last_put_ = 0;
  std::map<uint64_t, survey> surveys_;
  uint64_t last_survey_ = 0;
  std::vector<protocol::shard_actor> shards_;
  std::optional<protocol::shared_weights> weights_; // nothing: the journal may keep some
  std::vector<caf::typed_response_promise<bool>>
      stopping_; // whom to tell when the last running report is over
  bool stopped_ = false;
};

/// COORDINATOR. Monitors the shards it is given: of a shard that is gone CAF answers no request.
coordinator_self::behavior_type coordinator(coordinator_self::stateful_pointer<coordinator_state> self,
                                            coordinator_options options);

} // namespace storemon::report
