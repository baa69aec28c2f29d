#include "storemon/journal/memory_backend.hpp"

#include "storemon/journal/chain.hpp"

#include <algorithm>
#include <unordered_set>

namespace storemon::journal {

namespace {

/// Applies operations to tables; each answers its outcome, and does nothing unless that is ok.
struct applier {
  memory_tables& tables;

  errc operator()(const take_over& t) const {
    auto& owner = tables.partitions[t.partition].owner;
    if (owner.epoch != t.seen)
      return errc::fenced;
    ++owner.epoch;
    return errc::ok;
  }

  errc operator()(const append& a) const {
    auto* p = owned(a.partition, a.epoch);
    if (!p)
      return errc::fenced;
    if (!continues(a, p->owner) || !fits(p->names, a.names))
      return errc::damaged;
    for (const auto& n : a.names)
      p->names.emplace(n.index, n.name);
    p->names_given += a.names.size();
    for (const auto& r : a.records) {
      p->records.emplace(r.seq, r);
      p->owner.next_seq = r.seq + 1;
      p->owner.last_crc = r.crc;
    }
    return errc::ok;
  }

  errc operator()(const put_snapshot& s) const {
    auto* p = owned(s.what.partition, s.what.epoch);
    if (!p)
      return errc::fenced;
    if (!p->manifests.empty() && p->manifests.rbegin()->first >= s.what.generation)
      return errc::damaged;
    p->manifests.emplace(s.what.generation, s.what);
    for (const auto& c : s.chunks)
      p->chunks.insert_or_assign({c.number, c.generation}, c);
    return errc::ok;
  }

  errc operator()(const compact& c) const {
    auto* p = owned(c.partition, c.epoch);
    if (!p)
      return errc::fenced;
    if (p->manifests.size() < 2)
      return errc::ok;
    const auto& older = std::next(p->manifests.rbegin())->second;
    const auto through = std::min(c.through_seq, older.through_seq);
    const auto generation = std::min(c.generation_min, older.generation);
    auto end = p->records.begin();
    while (end != p->records.end() && end->first <= through && end->second.written < c.older_than)
      ++end;
    p->records.erase(p->records.begin(), end);
    for (auto it = p->chunks.begin(); it != p->chunks.end();) {
      const auto next = std::next(it);
      const auto [number, written] = it->first;
      const bool replaced =
          next != p->chunks.end() && next->first.first == number && next->first.second <= generation;
      const bool gone = it->second.payload.empty() && written <= generation;
      it = replaced || gone ? p->chunks.erase(it) : next;
    }
    p->manifests.erase(p->manifests.begin(), p->manifests.lower_bound(generation));
    return errc::ok;
  }

  errc operator()(const put_report& p) const {
    auto& kept = tables.reports[p.report->status.id];
    kept.status = p.report->status;
    kept.status.file = nullptr;
    kept.status.durable = true;
    if (p.report->bytes)
      kept.bytes = p.report->bytes;
    return errc::ok;
  }

  errc operator()(const drop_reports& d) const {
    for (const auto& id : d.ids)
      tables.reports.erase(id);
    return errc::ok;
  }

  errc operator()(const put_value& v) const {
    tables.values[v.name] = v.value;
    return errc::ok;
  }

private:
  memory_partition* owned(uint32_t partition, uint64_t epoch) const {
    const auto it = tables.partitions.find(partition);
    return it == tables.partitions.end() || it->second.owner.epoch != epoch || epoch == 0 ? nullptr
                                                                                          : &it->second;
  }

  /// Whether new names have neither an index nor a name that is held.
  static bool fits(const std::map<uint32_t, std::string>& held, const std::vector<store_name>& born) {
    if (born.empty())
      return true;
    std::unordered_set<std::string_view> names;
    std::unordered_set<uint32_t> indexes;
    for (const auto& [index, name] : held)
      names.insert(name);
    return std::all_of(born.begin(), born.end(), [&](const store_name& n) {
      return !held.contains(n.index) && indexes.insert(n.index).second && names.insert(n.name).second;
    });
  }
};

error storage_failing() {
  return {errc::storage_failing, "the journal failed before and is not healed yet"};
}

error planted(errc code) {
  return {code, "a planted fault: " + std::string(to_string(code))};
}

/// Rows of an ascending walk, bounded: at least one, none after `bytes_max` bytes of payload are exceeded.
template <class Rows, class Row>
bool add_bounded(Rows& rows, const Row& row, size_t& bytes, size_t bytes_max) {
  if (!rows.empty() && bytes > bytes_max)
    return false;
  bytes += row.payload.size();
  rows.push_back(row);
  return true;
}

} // namespace

void memory_disk::fail_next(errc code, fate what) {
  std::lock_guard lock(mutex_);
  next_failure_ = code;
  next_fate_ = what;
}

void memory_disk::fail_reads(errc code) {
  std::lock_guard lock(mutex_);
  read_failure_ = code;
}

void memory_disk::fail_heals(size_t attempts) {
  std::lock_guard lock(mutex_);
  failing_heals_ = attempts;
}

void memory_disk::set_bytes_free(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  bytes_free_ = bytes;
}

void memory_disk::crash() {
  std::lock_guard lock(mutex_);
  if (undecided_)
    tables_ = std::move(*undecided_);
  undecided_.reset();
}

void memory_disk::edit(const std::function<void(memory_tables&)>& change) {
  std::lock_guard lock(mutex_);
  change(tables_);
}

std::shared_ptr<memory_disk> memory_disk::copy(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const auto it = copies_.find(path);
  return it == copies_.end() ? nullptr : it->second;
}

uint64_t memory_disk::commits() const {
  std::lock_guard lock(mutex_);
  return commits_;
}

uint64_t memory_disk::heals() const {
  std::lock_guard lock(mutex_);
  return heals_;
}

memory_backend::memory_backend(std::shared_ptr<memory_disk> disk) : disk_(std::move(disk)) {}

result<std::vector<errc>> memory_backend::commit(std::span<const operation> what) {
  std::lock_guard lock(disk_->mutex_);
  if (poisoned_)
    return storage_failing();
  const auto failure = std::exchange(disk_->next_failure_, errc::ok);
  if (failure != errc::ok) {
    poisoned_ = failure == errc::storage_failing;
    if (disk_->next_fate_ == memory_disk::fate::undecided) {
      disk_->undecided_ = disk_->tables_;
      for (const auto& op : what)
        std::visit(applier{*disk_->undecided_}, op);
    }
    return planted(failure);
  }
  std::vector<errc> outcomes;
  for (const auto& op : what)
    outcomes.push_back(std::visit(applier{disk_->tables_}, op));
  disk_->undecided_.reset();
  ++disk_->commits_;
  return outcomes;
}

const memory_partition* memory_backend::find(uint32_t partition) const {
  const auto it = disk_->tables_.partitions.find(partition);
  return it == disk_->tables_.partitions.end() ? nullptr : &it->second;
}

result<ownership> memory_backend::owner(uint32_t partition) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  const auto* p = find(partition);
  return p ? p->owner : ownership{};
}

result<std::vector<std::string>> memory_backend::store_names(uint32_t partition) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  const auto* p = find(partition);
  if (!p)
    return std::vector<std::string>{};
  std::vector<std::string> names;
  for (const auto& [index, name] : p->names)
    if (index == names.size() && !name.empty())
      names.push_back(name);
  if (names.size() != p->names_given)
    return error{errc::damaged, "the name of store " + std::to_string(names.size()) + " of partition " +
                                    std::to_string(partition) + " is missing"};
  return names;
}

result<std::vector<record>> memory_backend::read_records(uint32_t partition, uint64_t from,
                                                         size_t bytes_max) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  std::vector<record> rows;
  const auto* p = find(partition);
  if (!p)
    return rows;
  size_t bytes = 0;
  for (auto it = p->records.lower_bound(from); it != p->records.end(); ++it)
    if (!add_bounded(rows, it->second, bytes, bytes_max))
      break;
  return rows;
}

result<std::vector<manifest>> memory_backend::manifests(uint32_t partition) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  std::vector<manifest> newest;
  if (const auto* p = find(partition))
    for (auto it = p->manifests.rbegin(); it != p->manifests.rend() && newest.size() < 2; ++it)
      newest.push_back(it->second);
  return newest;
}

result<std::vector<chunk_row>> memory_backend::read_chunks(uint32_t partition, uint64_t generation,
                                                           int64_t from, size_t bytes_max) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  std::vector<chunk_row> rows;
  const auto* p = find(partition);
  if (!p)
    return rows;
  size_t bytes = 0;
  for (auto it = p->chunks.lower_bound({from, 0}); it != p->chunks.end();) {
    const auto number = it->first.first;
    const chunk_row* newest = nullptr;
    for (; it != p->chunks.end() && it->first.first == number; ++it)
      if (it->first.second <= generation)
        newest = &it->second;
    if (newest && !newest->payload.empty() && !add_bounded(rows, *newest, bytes, bytes_max))
      break;
  }
  return rows;
}

result<std::vector<protocol::stored_report>> memory_backend::reports() {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  std::vector<protocol::stored_report> all;
  for (const auto& [id, report] : disk_->tables_.reports)
    all.push_back({report.status, nullptr});
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.status.created < b.status.created; });
  return all;
}

result<std::string> memory_backend::report_bytes(const std::string& id) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  const auto it = disk_->tables_.reports.find(id);
  if (it == disk_->tables_.reports.end() || !it->second.bytes)
    return error{errc::not_found, "no bytes of report " + id + " are kept"};
  return *it->second.bytes;
}

result<std::string> memory_backend::value(const std::string& name) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->read_failure_ != errc::ok)
    return planted(disk_->read_failure_);
  const auto it = disk_->tables_.values.find(name);
  return it == disk_->tables_.values.end() ? std::string() : it->second;
}

result<std::vector<std::string>> memory_backend::check() {
  return std::vector<std::string>{};
}

/// There at its second step, so that something may come between.
class memory_backend::disk_copy final : public copying {
public:
  disk_copy(std::shared_ptr<memory_disk> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)) {}

  result<bool> go_on(size_t) override {
    std::lock_guard lock(disk_->mutex_);
    if (disk_->read_failure_ != errc::ok)
      return planted(disk_->read_failure_);
    if (std::exchange(half_, false))
      return false;
    auto copy = std::make_shared<memory_disk>();
    copy->tables_ = disk_->tables_;
    disk_->copies_.emplace(path_, std::move(copy));
    return true;
  }

private:
  std::shared_ptr<memory_disk> disk_;
  std::string path_;
  bool half_ = true;
};

result<std::unique_ptr<backend::copying>> memory_backend::begin_copy(const std::string& path) {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->copies_.contains(path))
    return error{errc::invalid_argument, path + " exists"};
  return std::make_unique<disk_copy>(disk_, path);
}

result<void> memory_backend::heal() {
  std::lock_guard lock(disk_->mutex_);
  if (disk_->failing_heals_ > 0) {
    --disk_->failing_heals_;
    return planted(errc::storage_failing);
  }
  poisoned_ = false;
  disk_->undecided_.reset();
  ++disk_->heals_;
  return {};
}

uint64_t memory_backend::bytes_free() const {
  std::lock_guard lock(disk_->mutex_);
  return disk_->bytes_free_;
}

} // namespace storemon::journal
