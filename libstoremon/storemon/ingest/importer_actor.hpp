#pragma once

#include "storemon/ingest/feed_files.hpp"
#include "storemon/ingest/parser_actor.hpp"
#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace storemon::ingest {

/// A file to be imported.
struct import_source {
  std::optional<feed_kind> kind{}; ///< nothing: the one feed that its header fits
  std::string path;
  std::string name = path;                           ///< what errors and totals call it
  std::chrono::local_days valid_from = always_valid; ///< of hours
};

struct importer_options {
  std::string directory{}; ///< whose feeds are read, before the sources; empty: none
  std::vector<import_source> sources{};
  /// By partition; null where the partition's rows are not wanted.
  std::vector<protocol::shard_actor> shards;
  size_t parsers = 2;
  /// Chunks under way a parser: one that it works on and one that waits, so that it never does.
  size_t chunks_per_parser = 2;
  size_t chunk_bytes = size_t{1} << 20;
  /// Rows of one update; see router_options.
  size_t rows_max = 8192;
  /// Where it is told how far the import has come.
  std::shared_ptr<protocol::import_gauge> gauge = std::make_shared<protocol::import_gauge>();
};

/// Reads the feeds one after the other: reads chunks, hands them to parsers, takes the next when one is
/// answered. So memory is bounded by the chunks under way, whatever the size of the files.
class importer_state {
public:
  static inline const char* name = "importer";

  importer_state() = default;
  importer_state(const importer_state&) = delete;
  importer_state& operator=(const importer_state&) = delete;

  /// However the importer ends, its parsers end with it.
  ~importer_state();

  void start(protocol::importer_actor::pointer self, importer_options options);

  caf::result<std::shared_ptr<const protocol::import_result>> run();
  void shard_down(const caf::actor_addr& gone);

private:
  /// One feed to be read.
  struct source {
    std::string name;
    layout where;
    std::chrono::local_days valid_from;
    chunk_reader reader;
  };

  result<void> open_all();
  result<void> open(const import_source& from);
  void begin_feed();
  void tell_progress() const;
  void read_into(size_t parser, chunk_job_pointer job);
  void parsed(size_t parser, chunk_job_pointer job);
  void take_summary(uint64_t number, chunk_summary summary);
  void flush_feed();
  void end_feed();
  void finish();
  void end_parsers();
  void fail(error why);

  protocol::importer_actor::pointer self_ = nullptr;
  importer_options options_;
  caf::typed_response_promise<std::shared_ptr<const protocol::import_result>> answer_;
  std::chrono::steady_clock::time_point began_;
  std::vector<source> sources_;
  size_t current_ = 0; // index of the feed being read
  std::vector<parser_actor> parsers_;
  size_t chunks_under_way_ = 0;
  size_t flushes_under_way_ = 0;
  uint64_t next_chunk_ = 0;                   // number of the next one to read
  uint64_t next_summary_ = 0;                 // number of the next one to take in file order
  std::map<uint64_t, chunk_summary> waiting_; // summaries that came early
  rejects rejected_;
  protocol::import_result result_;
  std::set<uint32_t> lost_;
  bool over_ = false;
};

/// IMPORTER. To be spawned detached, for it blocks in read(2).
protocol::importer_actor::behavior_type
importer(protocol::importer_actor::stateful_pointer<importer_state> self, importer_options options);

} // namespace storemon::ingest
