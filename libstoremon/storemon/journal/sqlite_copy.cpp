#include "storemon/journal/sqlite_copy.hpp"

#include "storemon/journal/bytes.hpp"
#include "storemon/journal/crc32c.hpp"
#include "storemon/journal/data_directory.hpp"
#include "storemon/journal/sqlite_schema.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <utility>

namespace storemon::journal {

namespace {

struct digest {
  uint64_t rows = 0;
  uint32_t crc = 0;

  friend bool operator==(const digest&, const digest&) = default;
};

/// All rows of all tables, in one order.
constexpr std::array<std::pair<const char*, int>, 8> everything{
    {{"SELECT * FROM meta ORDER BY name", 3},
     {"SELECT * FROM partition_owner ORDER BY partition_id", 6},
     {"SELECT * FROM journal ORDER BY partition_id, seq", 12},
     {"SELECT * FROM store ORDER BY partition_id, idx", 4},
     {"SELECT * FROM snapshot ORDER BY partition_id, generation", 9},
     {"SELECT * FROM snapshot_chunk ORDER BY partition_id, number, generation", 8},
     {"SELECT * FROM journal_quarantine ORDER BY rowid", 14},
     {"SELECT * FROM report ORDER BY id", 16}}};

int digest_of(sqlite_handle& db, digest& sum) {
  std::string row_text;
  for (const auto& [sql, columns] : everything) {
    const auto add = [&, columns = columns](const sqlite_row& row) {
      row_text.clear();
      byte_writer out(row_text);
      for (int c = 0; c < columns; ++c) {
        out.byte(row.null(c) ? 0 : 1);
        out.text(row.bytes(c));
      }
      sum.crc = crc32c(row_text, sum.crc);
      ++sum.rows;
      return true;
    };
    if (const int code = db.each(sql, add); code != SQLITE_OK)
      return code;
  }
  return SQLITE_OK;
}

bool exists(sqlite3_vfs* vfs, const std::string& path) {
  int there = 0;
  return vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &there) == SQLITE_OK && there != 0;
}

result<void> check_copy(sqlite_handle& db, const sqlite_handle::options& how) {
  auto copy = sqlite_handle::open(how);
  if (!copy)
    return copy.error();
  if ((*copy)->sync() != SQLITE_OK)
    return error{errc::io_failed, how.path + " cannot be made durable"};
  const auto damage = check_pages(**copy);
  if (!damage)
    return damage.error();
  if (!damage->empty())
    return error{errc::io_failed, how.path + ": " + damage->front()};
  digest original;
  digest copied;
  if (const int code = digest_of(db, original); code != SQLITE_OK)
    return read_failure(db, code);
  if (const int code = digest_of(**copy, copied); code != SQLITE_OK)
    return read_failure(**copy, code);
  if (original != copied)
    return error{errc::io_failed, how.path + " is not the copy that was written"};
  return {};
}

class page_copy final : public backend::copying {
public:
  page_copy(sqlite_handle& from, std::string path) : from_(from), path_(std::move(path)) {}

  ~page_copy() override {
    sqlite3_backup_finish(copying_);
    sqlite3_close(to_);
    if (auto* vfs = from_.vfs(); !whole_)
      vfs->xDelete(vfs, path_.c_str(), 0); // whether it is there or not: nothing may have been written yet
  }

  page_copy(const page_copy&) = delete;
  page_copy& operator=(const page_copy&) = delete;

  result<void> begin(const std::string& mode_of) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(sqlite_uri(path_, mode_of).c_str(), &to_, flags, from_.vfs()->zName);
    if (code == SQLITE_OK) // a file that is not whole is worth nothing, so nothing of it need be safe
      code = sqlite3_exec(to_, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) {
      copying_ = sqlite3_backup_init(to_, "main", from_.connection(), "main");
      code = copying_ ? SQLITE_OK : sqlite3_extended_errcode(to_);
    }
    if (code != SQLITE_OK)
      return failure(code);
    return {};
  }

  result<bool> go_on(size_t bytes) override {
    constexpr size_t page_bytes = 4096;
    const auto pages = std::clamp<size_t>(bytes / page_bytes, 1, std::numeric_limits<int>::max());
    int code = sqlite3_backup_step(copying_, static_cast<int>(pages));
    if (code == SQLITE_OK)
      return false;
    if (code == SQLITE_DONE) {
      code = sqlite3_backup_finish(std::exchange(copying_, nullptr));
      if (code == SQLITE_OK)
        code = sqlite3_close(std::exchange(to_, nullptr));
    }
    whole_ = code == SQLITE_OK;
    if (!whole_)
      return failure(code);
    return true;
  }

private:
  error failure(int code) const {
    const auto said = path_ + ": " + (to_ ? sqlite3_errmsg(to_) : sqlite3_errstr(code));
    switch (code & 0xff) {
    case SQLITE_FULL:
      return {errc::disk_full, said};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {errc::damaged, said};
    default:
      return {errc::io_failed, said};
    }
  }

  sqlite_handle& from_;
  const std::string path_;
  sqlite3* to_ = nullptr;
  sqlite3_backup* copying_ = nullptr;
  bool whole_ = false;
};

} // namespace

result<std::unique_ptr<backend::copying>> begin_page_copy(sqlite_handle& db, const std::string& path,
                                                          const std::string& mode_of) {
  const auto whole = std::filesystem::absolute(path).string();
  if (exists(db.vfs(), whole))
    return error{errc::invalid_argument, path + " exists"};
  auto copy = std::make_unique<page_copy>(db, whole);
  if (auto begun = copy->begin(mode_of); !begun)
    return begun.error();
  return copy;
}

result<std::vector<std::string>> check_pages(sqlite_handle& db) {
  std::vector<std::string> found;
  const int code = db.each("PRAGMA integrity_check", [&](const sqlite_row& row) {
    if (auto sentence = row.bytes(0); sentence != "ok")
      found.push_back(std::move(sentence));
    return true;
  });
  if (code != SQLITE_OK)
    return read_failure(db, code);
  return found;
}

result<void> copy_database(sqlite_handle& db, const std::string& path, const std::string& mode_of,
                           const std::string& vfs) {
  const auto whole = std::filesystem::absolute(path);
  const sqlite_handle::options how{whole.string(), mode_of, vfs, false};
  if (exists(db.vfs(), how.path))
    return error{errc::invalid_argument, path + " exists"};
  result<void> done;
  if (const int code = db.run("VACUUM INTO ?1", sqlite_uri(how.path, mode_of)); code != SQLITE_OK)
    done = (code & 0xff) == SQLITE_FULL ? error{errc::disk_full, path + ": " + db.message()}
                                        : read_failure(db, code);
  else
    done = check_copy(db, how);
  if (done)
    done = sync_path(whole.parent_path().string());
  if (!done)
    remove_database(db, how.path);
  return done;
}

void remove_database(sqlite_handle& db, const std::string& path) {
  auto* vfs = db.vfs();
  for (const auto* suffix : {"", "-wal", "-journal"})
    if (exists(vfs, path + suffix))
      vfs->xDelete(vfs, (path + suffix).c_str(), 1);
}

} // namespace storemon::journal
