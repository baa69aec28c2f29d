#include "storemon/ingest/importer_actor.hpp"

namespace storemon::ingest {

using namespace protocol;

namespace {

/// A rejected line as clients see it.
std::string describe(const reject_sample& sample) {
  return "line " + std::to_string(sample.line) + ": " + std::string(to_string(sample.reason)) + ": " +
         sample.text;
}

} // namespace

importer_state::~importer_state() {
  end_parsers();
}

void importer_state::end_parsers() {
  for (const auto& p : parsers_)
    caf::anon_send_exit(p, caf::exit_reason::user_shutdown);
  parsers_.clear();
}

void importer_state::start(importer_actor::pointer self, importer_options options) {
  self_ = self;
  options_ = std::move(options);
  for (const auto& shard : options_.shards)
    if (shard)
      self_->monitor(shard);
}

caf::result<std::shared_ptr<const import_result>> importer_state::run() {
  began_ = std::chrono::steady_clock::now();
  answer_ = self_->make_response_promise<std::shared_ptr<const import_result>>();
  const auto answer = answer_;
  // Every header is read before the first row is applied: a file that lacks a column is refused with nothing
  // done.
  if (auto opened = open_all(); !opened)
    fail(opened.error());
  else
    begin_feed();
  return answer;
}

result<void> importer_state::open_all() {
  if (!options_.directory.empty()) {
    const auto files = find_feed_files(options_.directory);
    if (!files)
      return files.error();
    for (const auto& [kind, path] : *files)
      if (auto opened = open({.kind = kind, .path = path}); !opened)
        return opened;
  }
  for (const auto& from : options_.sources)
    if (auto opened = open(from); !opened)
      return opened;
  return {};
}

result<void> importer_state::open(const import_source& from) {
  auto reader = chunk_reader::open(from.path, {.chunk_bytes = options_.chunk_bytes, .name = from.name});
  if (!reader)
    return reader.error();
  auto where = from.kind ? read_header(*from.kind, reader->header()) : read_header(reader->header());
  if (!where)
    return error{where.error().code, from.name + ": " + where.error().detail};
  sources_.push_back({from.name, *where, from.valid_from, std::move(*reader)});
  tell_progress();
  return {};
}

void importer_state::begin_feed() {
  if (current_ == sources_.size()) {
    finish();
    return;
  }
  const auto& from = sources_[current_];
  feed_totals totals;
  totals.file = from.name;
  totals.lines = from.reader.header_lines();
  result_.feeds.push_back(std::move(totals));
  next_chunk_ = 0;
  next_summary_ = 0;
  rejected_ = {};
  parser_options options;
  options.where = from.where;
  options.routing.partitions = static_cast<uint32_t>(options_.shards.size());
  options.routing.rows_max = options_.rows_max;
  options.routing.rows_expected = options_.rows_max;
  options.routing.valid_from = from.valid_from;
  auto shards = options_.shards;
  for (const auto p : lost_)
    shards[p] = nullptr;
  const size_t parsers = from.where.kind == feed_kind::status ? options_.parsers : 1;
  for (size_t i = 0; i < parsers; ++i)
    parsers_.push_back(self_->spawn(parser, options, shards));
  // The first chunks go round, so that every parser has one before any has two.
  for (size_t turn = 0; turn < options_.chunks_per_parser; ++turn)
    for (size_t i = 0; i < parsers_.size() && !over_; ++i)
      read_into(i, std::make_shared<chunk_job>());
  if (!over_ && chunks_under_way_ == 0)
    flush_feed();
}

void importer_state::read_into(size_t parser, chunk_job_pointer job) {
  if (auto read = sources_[current_].reader.next(job->bytes); !read) {
    fail(read.error());
    return;
  }
  tell_progress();
  if (job->bytes.text().empty())
    return;
  job->number = next_chunk_++;
  ++chunks_under_way_;
  self_->request(parsers_[parser], caf::infinite, parse_atom::value, std::move(job))
      .then([this, parser](chunk_job_pointer& done) { parsed(parser, std::move(done)); },
            [this](const caf::error& e) { fail(from_caf(e)); });
}

void importer_state::parsed(size_t parser, chunk_job_pointer job) {
  if (over_)
    return;
  --chunks_under_way_;
  take_summary(job->number, std::move(job->summary));
  read_into(parser, std::move(job));
  if (!over_ && chunks_under_way_ == 0)
    flush_feed();
}

void importer_state::take_summary(uint64_t number, chunk_summary summary) {
  waiting_.emplace(number, std::move(summary));
  auto& totals = result_.feeds.back();
  for (auto next = waiting_.find(next_summary_); next != waiting_.end();
       next = waiting_.find(next_summary_)) {
    rejected_.append(next->second.rejected, totals.lines);
    totals.lines += next->second.lines;
    waiting_.erase(next);
    ++next_summary_;
  }
}

void importer_state::flush_feed() {
  flushes_under_way_ = parsers_.size();
  for (const auto& p : parsers_)
    self_->request(p, caf::infinite, flush_atom::value)
        .then(
            [this](const parser_totals& what) {
              result_.feeds.back().rows += what.done;
              lost_.insert(what.lost.begin(), what.lost.end());
              if (--flushes_under_way_ == 0 && !over_)
                end_feed();
            },
            [this](const caf::error& e) { fail(from_caf(e)); });
}

void importer_state::end_feed() {
  auto& totals = result_.feeds.back();
  totals.bytes = sources_[current_].reader.bytes_read();
  totals.rejected = rejected_.total();
  for (size_t reason = 0; reason < reject_reasons; ++reason)
    if (rejected_.count[reason] > 0)
      totals.rejected_by_reason[std::string(to_string(static_cast<reject_reason>(reason)))] =
          rejected_.count[reason];
  for (const auto& sample : rejected_.samples)
    totals.reject_samples.push_back(describe(sample));
  end_parsers();
  ++current_;
  begin_feed();
}

void importer_state::finish() {
  over_ = true;
  result_.partitions_lost.assign(lost_.begin(), lost_.end());
  result_.took =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began_);
  answer_.deliver(std::make_shared<const import_result>(std::move(result_)));
  self_->quit();
}

void importer_state::fail(error why) {
  if (over_)
    return;
  over_ = true;
  answer_.deliver(to_caf(why));
  self_->quit();
}

void importer_state::tell_progress() const {
  import_progress p;
  for (const auto& s : sources_) {
    p.bytes_done += s.reader.bytes_read();
    p.bytes_total += s.reader.bytes_total();
  }
  options_.gauge->bytes_total = p.bytes_total;
  options_.gauge->bytes_done = p.bytes_done;
}

void importer_state::shard_down(const caf::actor_addr& gone) {
  for (uint32_t p = 0; p < options_.shards.size(); ++p)
    if (options_.shards[p] && options_.shards[p].address() == gone && lost_.insert(p).second)
      for (const auto& worker : parsers_)
        self_->send(worker, lost_atom_v, p);
}

importer_actor::behavior_type importer(importer_actor::stateful_pointer<importer_state> self,
                                       importer_options options) {
  auto& state = self->state;
  state.start(self, std::move(options));
  self->set_down_handler([&state](const caf::down_msg& down) { state.shard_down(down.source); });
  // A parser never ends by itself; when one falls, its request has already told.
  return {[&state](import_atom) { return state.run(); }};
}

} // namespace storemon::ingest
