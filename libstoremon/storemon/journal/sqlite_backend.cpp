#include "storemon/journal/sqlite_backend.hpp"

#include "storemon/journal/chain.hpp"
#include "storemon/journal/data_directory.hpp"
#include "storemon/journal/log_scan.hpp"
#include "storemon/journal/sqlite_copy.hpp"
#include "storemon/journal/sqlite_handle.hpp"
#include "storemon/journal/sqlite_operations.hpp"
#include "storemon/journal/sqlite_reports.hpp"
#include "storemon/journal/sqlite_schema.hpp"

#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <utility>

namespace storemon::journal {

namespace {

/// What tells a file from another that took its path: device and inode. Nothing where there is no file.
using file_identity = std::pair<dev_t, ino_t>;

std::optional<file_identity> identity_of(const std::string& path) {
  struct stat s {};

  if (::stat(path.c_str(), &s) != 0)
    return std::nullopt;
  return file_identity{s.st_dev, s.st_ino};
}

/// Sequence numbers and generations beyond are no integers of SQLite's; there are none.
constexpr uint64_t integer_max = INT64_MAX;

class sqlite_backend final : public backend {
public:
  sqlite_backend(std::unique_ptr<data_directory> directory, std::unique_ptr<sqlite_handle> db,
                 uint64_t number, const sqlite_options& options)
      : directory_(std::move(directory)), db_(std::move(db)), number_(number), vfs_(options.vfs),
        log_pages_max_(options.log_pages_max), reserve_bytes_(options.reserve_bytes) {
    identity_ = identity_of(db_->path());
    hold_reserve();
  }

  /// The log goes into the file, and then CURRENT says that nothing is missing without it.
  ~sqlite_backend() override {
    const bool closed =
        failure_.empty() &&
        (!marked_ || (db_->checkpoint() == SQLITE_OK && directory_->set_current(number_).has_value()));
    if (!closed)
      db_->leave_log_alone();
  }

  /// Makes CURRENT say that the data is open, so that a log that is missing later is missed. To be called
  /// once, before anything is committed.
  result<void> mark_open() {
    std::error_code code;
    if (!vfs_.empty() || !std::filesystem::exists(db_->path() + "-wal", code))
      return {};
    marked_ = true;
    return directory_->set_current(number_, boot_id());
  }

  result<std::vector<errc>> commit(std::span<const operation> what) override {
    if (!failure_.empty())
      return error{errc::storage_failing, failure_};
    std::vector<errc> outcomes(what.size(), errc::ok);
    // An operation that turns out damaged half-way takes its transaction with it; the others are done again.
    for (;;) {
      const auto code = transact(what, outcomes);
      if (code == SQLITE_OK)
        break;
      if (code != again)
        return write_failure(code);
    }
    if (!reserve_held_)
      hold_reserve();
    return outcomes;
  }

  /// The log is moved here and not by SQLite itself, which would do it before a commit is answered and keep a
  /// failure to itself.
  result<void> tidy() override {
    if (!failure_.empty() || db_->log_pages() < log_pages_max_)
      return {};
    const int code = db_->checkpoint();
    // No room is no harm: the log keeps what it holds, and the next time tries again.
    if (code == SQLITE_OK || (code & 0xff) == SQLITE_FULL)
      return {};
    poison(db_->path() + ": " + db_->message());
    return error{errc::storage_failing, failure_};
  }

  result<ownership> owner(uint32_t partition) override {
    const auto row = read_owner(*db_, partition);
    if (!row)
      return row.error();
    if (row->owner.epoch == 0)
      if (auto none = check_unowned(partition); !none)
        return none.error();
    return row->owner;
  }

  result<std::vector<std::string>> store_names(uint32_t partition) override {
    const auto row = read_owner(*db_, partition);
    if (!row)
      return row.error();
    std::vector<std::string> names;
    bool sound = true;
    const int code = db_->each(
        "SELECT idx, crc, name FROM store WHERE partition_id = ?1 ORDER BY idx",
        [&](const sqlite_row& r) {
          const store_name name{r.integer<uint32_t>(0), r.bytes(2)};
          sound = name.index == names.size() && crc_fits(r.integer<uint32_t>(1), crc_of(partition, name));
          names.push_back(name.name);
          return sound;
        },
        partition);
    if (code != SQLITE_OK)
      return read_failure(*db_, code);
    if (!sound || names.size() != row->names)
      return error{errc::damaged, "the name of store " + std::to_string(names.size() - (sound ? 0 : 1)) +
                                      " of partition " + std::to_string(partition) +
                                      " is missing or fails its CRC"};
    return names;
  }

  result<std::vector<record>> read_records(uint32_t partition, uint64_t from, size_t bytes_max) override {
    std::vector<record> rows;
    size_t bytes = 0;
    for (const auto& [seq, row] : places_.from(partition, from)) {
      const auto before = rows.size();
      if (const int code = read_record(*db_, row, rows); code != SQLITE_OK)
        return read_failure(*db_, code);
      if (rows.size() > before)
        bytes += rows.back().payload.size();
      if (bytes > bytes_max)
        break;
    }
    return rows;
  }

  result<std::vector<manifest>> manifests(uint32_t partition) override {
    std::vector<manifest> newest;
    if (const int code = read_manifests(*db_, partition, newest); code != SQLITE_OK)
      return read_failure(*db_, code);
    return newest;
  }

  result<std::vector<chunk_row>> read_chunks(uint32_t partition, uint64_t generation, int64_t from,
                                             size_t bytes_max) override {
    std::vector<chunk_row> rows;
    size_t bytes = 0;
    const int code = db_->each(
        "SELECT number, generation, kind, codec, count, crc, payload FROM snapshot_chunk AS c "
        "WHERE partition_id = ?1 AND number >= ?3 AND length(payload) > 0 AND generation = "
        "(SELECT max(generation) FROM snapshot_chunk AS n WHERE n.partition_id = ?1 AND n.number = c.number "
        "AND n.generation <= ?2) ORDER BY number",
        [&](const sqlite_row& r) {
          rows.push_back({partition, r.integer<int64_t>(0), r.integer<uint64_t>(1), r.integer<uint8_t>(2),
                          r.integer<uint8_t>(3), r.integer<uint32_t>(4), r.integer<uint32_t>(5), r.bytes(6)});
          bytes += rows.back().payload.size();
          return bytes <= bytes_max;
        },
        partition, std::min(generation, integer_max), from);
    if (code != SQLITE_OK)
      return read_failure(*db_, code);
    return rows;
  }

  result<std::vector<protocol::stored_report>> reports() override { return read_reports(*db_); }

  result<std::string> report_bytes(const std::string& id) override { return read_report_bytes(*db_, id); }

  result<std::string> value(const std::string& name) override { return read_value(*db_, name); }

  result<std::vector<std::string>> check() override { return check_pages(*db_); }

  result<std::unique_ptr<copying>> begin_copy(const std::string& path) override {
    return begin_page_copy(*db_, path, directory_->lock_file());
  }

  result<void> heal() override {
#if STOREMON_PLANT_BUG == 4
    db_->leave_log_alone();
    db_.reset();
    auto same = sqlite_handle::open({directory_->file(number_), directory_->lock_file(), vfs_, false});
    if (!same)
      std::abort(); // the bug was planted to be found; a test that gets here sees the end of the program
    db_ = std::move(*same);
#else
    if (auto there = in_place(); !there)
      return there;
    if (auto done = move_to_copy(); !done)
      return done;
#endif
    // A commit that failed may be there after all.
    if (auto found = find_records(); !found)
      return error{errc::storage_failing, found.error().detail};
    if (auto cleared = directory_->clear_failed(); !cleared)
      return cleared;
    failure_.clear();
    return {};
  }

  uint64_t bytes_free() const override {
    const auto free = directory_->bytes_free();
    return free ? *free : 0; // what cannot be asked cannot be written to
  }

  result<void> in_place() const override {
    if (auto there = directory_->in_place(); !there)
      return there;
    if (!vfs_.empty()) // a test's, whose files the operating system does not have
      return {};
    const auto now = identity_of(db_->path());
    if (now && now == identity_)
      return {};
    return error{errc::storage_failing,
                 db_->path() + " was removed or replaced while the server had it: nothing can be kept there"};
  }

  /// To be called once before anything else.
  result<void> find_records() {
    if (const int code = places_.load(*db_); code != SQLITE_OK)
      return read_failure(*db_, code);
    return {};
  }

  /// As if a write had failed: until heal().
  void poison(std::string failure) {
    failure_ = std::move(failure);
    db_->leave_log_alone();
    if (const auto marked = directory_->mark_failed(); !marked)
      failure_ += "; nor can it be marked so for the next start: " + marked.error().detail;
  }

private:
  /// No code of SQLite's.
  static constexpr int again = -1;

  /// One try at a commit. Operations whose outcome is damaged already are left out.
  int transact(std::span<const operation> what, std::vector<errc>& outcomes) {
    int code = db_->run("BEGIN IMMEDIATE");
    for (size_t i = 0; code == SQLITE_OK && i < what.size(); ++i) {
      if (outcomes[i] == errc::damaged)
        continue;
      const auto outcome = std::visit(sqlite_operations{*db_, places_}, what[i]);
      if (const auto* failed = std::get_if<int>(&outcome)) {
        code = *failed;
        break;
      }
      outcomes[i] = std::get<errc>(outcome);
      if (outcomes[i] == errc::damaged)
        code = again;
    }
    if (code == SQLITE_OK)
      code = db_->run("COMMIT");
    if (code == SQLITE_OK)
      places_.keep();
    else {
      places_.undo();
      if (code != again)
        last_message_ = db_->message();
      if (db_->in_transaction()) // some failures have ended it already
        if (const int undone = db_->run("ROLLBACK"); undone != SQLITE_OK)
          code = undone;
    }
    return code;
  }

  error write_failure(int code) {
    switch (code & 0xff) {
    case SQLITE_FULL:
      if (std::exchange(reserve_held_, false))
        directory_->give_up_reserve();
      return {errc::disk_full, db_->path() + ": " + last_message_};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {errc::damaged, db_->path() + ": " + last_message_};
    case SQLITE_NOMEM:
      return {errc::internal, db_->path() + ": " + last_message_};
    default:
      poison(db_->path() + ": " + last_message_);
      return {errc::storage_failing, failure_};
    }
  }

  void hold_reserve() {
    reserve_held_ = reserve_bytes_ == 0 || directory_->hold_reserve(reserve_bytes_);
  }

  /// A partition without an owner has nothing.
  result<void> check_unowned(uint32_t partition) {
    bool something = !places_.from(partition, 0).empty();
    const int code = db_->each(
        "SELECT 1 WHERE EXISTS(SELECT 1 FROM store WHERE partition_id = ?1) OR "
        "EXISTS(SELECT 1 FROM snapshot WHERE partition_id = ?1)",
        [&](const sqlite_row&) { return something = true; }, partition);
    if (code != SQLITE_OK)
      return read_failure(*db_, code);
    if (something)
      return error{errc::damaged, "the owner of partition " + std::to_string(partition) + " is missing"};
    return {};
  }

  /// Writes a sound copy beside the file and goes on with it. Until CURRENT names it, nothing has happened.
  result<void> move_to_copy() {
    const auto path = directory_->file(number_ + 1);
    remove_database(*db_, path); // of an attempt that came not to its end
    if (auto copied = copy_database(*db_, path, directory_->lock_file(), vfs_); !copied)
      return error{copied.error().code == errc::disk_full ? errc::disk_full : errc::storage_failing,
                   copied.error().detail};
    auto copy = sqlite_handle::open({path, directory_->lock_file(), vfs_, false});
    if (!copy)
      return error{errc::storage_failing, copy.error().detail};
    if (auto named = directory_->set_current(number_ + 1, marked_ ? boot_id() : std::string()); !named)
      return error{errc::storage_failing, named.error().detail};
    db_->leave_log_alone();
    const auto old = db_->path();
    db_ = std::move(*copy);
    identity_ = identity_of(db_->path());
    ++number_;
    remove_database(*db_, old);
    return {};
  }

  std::unique_ptr<data_directory> directory_;
  std::unique_ptr<sqlite_handle> db_;
  record_places places_;
  uint64_t number_;
  bool marked_ = false;                   ///< CURRENT says that the data is open
  std::optional<file_identity> identity_; ///< of the file that holds the data
  std::string vfs_;
  int log_pages_max_;
  uint64_t reserve_bytes_;
  bool reserve_held_ = false; ///< or none is wanted
  std::string failure_;       ///< why nothing can be committed; empty: it can
  std::string last_message_;
};

/// Whether there are tables with anything in them that was asked to be kept.
result<bool> holds_data(sqlite_handle& db) {
  bool something = false;
  const int code =
      db.each("SELECT 1 WHERE EXISTS(SELECT 1 FROM partition_owner) OR EXISTS(SELECT 1 FROM report)",
              [&](const sqlite_row&) { return something = true; });
  if (code != SQLITE_OK)
    return read_failure(db, code);
  return something;
}

/// No owner of what was copied may write to the copy, should it still be alive.
result<void> begin_anew(sqlite_handle& db) {
  constexpr uint64_t far_enough = 1'000'000;
  if (auto done = migrate(db, false); !done)
    return done;
  int code = db.run("BEGIN IMMEDIATE");
  if (code == SQLITE_OK) {
    if (auto raised = raise_epochs(db, far_enough); !raised)
      return raised;
    code = write_incarnation(db);
  }
  if (code == SQLITE_OK)
    code = db.run("COMMIT");
  if (code == SQLITE_OK)
    code = db.checkpoint();
  if (code != SQLITE_OK)
    return read_failure(db, code);
  return {};
}

} // namespace

result<std::unique_ptr<backend>> open_sqlite(const sqlite_options& options) {
  auto directory = data_directory::open(options.directory);
  if (!directory)
    return directory.error();
  if ((*directory)->marked_restoring())
    return error{errc::damaged, "a restore into " + options.directory +
                                    " was cut short, and what it holds is not whole: restore into it again"};
  const auto current = (*directory)->current();
  if (!current)
    return current.error();
  const bool fresh = !current->has_value();
  const auto number = current->value_or(1);
  if (!fresh && options.vfs.empty()) {
    const auto opened_on = (*directory)->opened_on();
    if (!opened_on)
      return opened_on.error();
    if (auto whole = check_log((*directory)->file(number), *opened_on); !whole)
      return whole.error();
  }
  auto db = sqlite_handle::open({(*directory)->file(number), (*directory)->lock_file(), options.vfs, fresh});
  if (!db)
    return db.error().code == errc::not_found
               ? error{errc::damaged, "CURRENT in " + options.directory +
                                          " names a file that cannot be opened: " + db.error().detail}
               : db.error();
  if (auto done = migrate(**db, fresh); !done)
    return done.error();
  if (fresh) {
    const auto something = holds_data(**db);
    if (!something)
      return something.error();
    if (*something)
      return error{errc::damaged, options.directory + " holds data, but its file CURRENT is missing"};
    if (auto named = (*directory)->set_current(number); !named)
      return named.error();
  } else if (number > 1)
    remove_database(**db, (*directory)->file(number - 1)); // a heal may have been cut short before it did
  const bool failing = (*directory)->marked_failed();
  auto opened = std::make_unique<sqlite_backend>(std::move(*directory), std::move(*db), number, options);
  if (auto found = opened->find_records(); !found)
    return found.error();
  if (auto marked = opened->mark_open(); !marked)
    return marked.error();
  if (failing) {
    opened->poison("the process before ended while its writes failed");
    if (auto healed = opened->heal(); !healed)
      return healed.error();
  }
  return opened;
}

/// Makes the data of `copy` the file of a directory that has none; see restore_sqlite.
static result<void> restore_file(const std::string& copy, const data_directory& target) {
  const auto file = target.file(1);
  auto source = sqlite_handle::open({copy, target.lock_file(), {}, false});
  if (!source)
    return source.error();
  remove_database(**source, file); // of a restore that was cut short
  if (auto done = copy_database(**source, file, target.lock_file(), {}); !done)
    return done;
  auto restored = sqlite_handle::open({file, target.lock_file(), {}, false});
  if (!restored)
    return restored.error();
  if (auto done = begin_anew(**restored); !done)
    return done;
  const auto faults = check_pages(**restored);
  if (!faults)
    return faults.error();
  if (!faults->empty())
    return error{errc::damaged, "the restored copy is not sound: " + faults->front()};
  return {};
}

result<std::string> accept_log_loss(const std::string& path) {
  auto directory = data_directory::open(path);
  if (!directory)
    return directory.error();
  const auto current = (*directory)->current();
  if (!current)
    return current.error();
  if (!*current)
    return error{errc::invalid_argument, path + " holds no data"};
  auto given_up = give_up_log((*directory)->file(**current));
  if (!given_up)
    return given_up;
  if (auto marked = (*directory)->set_current(**current); !marked)
    return marked.error();
  return given_up;
}

result<void> restore_sqlite(const std::string& copy, const std::string& directory) {
  auto target = data_directory::open(directory);
  if (!target)
    return target.error();
  const auto current = (*target)->current();
  if (!current)
    return current.error();
  std::error_code code;
  const bool holds_data = current->has_value() || std::filesystem::exists((*target)->file(1), code);
  if (holds_data && !(*target)->marked_restoring())
    return error{errc::invalid_argument, directory + " holds data already"};
  if (auto marked = (*target)->mark_restoring(); !marked)
    return marked;
  if (auto done = restore_file(copy, **target); !done)
    return done;
  if (auto named = (*target)->set_current(1); !named)
    return named;
  return (*target)->clear_restoring();
}

} // namespace storemon::journal
