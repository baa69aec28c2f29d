#include "storemon/journal/sqlite_copy.hpp"

#include "storemon/journal/bytes.hpp"
#include "storemon/journal/crc32c.hpp"
#include "storemon/journal/data_directory.hpp"
#include "storemon/journal/sqlite_schema.hpp"

#include <array>
#include <filesystem>

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

} // namespace

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
    done = sync_directory(whole.parent_path().string());
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
