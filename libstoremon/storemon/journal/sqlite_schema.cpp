#include "storemon/journal/sqlite_schema.hpp"

#include "storemon/journal/chain.hpp"
#include "storemon/journal/crc32c.hpp"

#include <array>
#include <charconv>

namespace storemon::journal {

namespace {

/// What leads from each form of the tables to the next; written once, never changed.
constexpr std::array<const char*, schema_newest> migrations{
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE partition_owner(partition_id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,"
    "  next_seq INTEGER NOT NULL, last_crc INTEGER NOT NULL, names INTEGER NOT NULL, crc INTEGER NOT NULL);"
    "CREATE TABLE journal(partition_id INTEGER, seq INTEGER, epoch INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  codec INTEGER NOT NULL, count INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL,"
    "  written INTEGER NOT NULL, prev_crc INTEGER NOT NULL, crc INTEGER NOT NULL, payload BLOB NOT NULL,"
    "  PRIMARY KEY(partition_id, seq)) WITHOUT ROWID;"
    "CREATE TABLE store(partition_id INTEGER, idx INTEGER, crc INTEGER NOT NULL, name BLOB NOT NULL,"
    "  PRIMARY KEY(partition_id, idx), UNIQUE(partition_id, name)) WITHOUT ROWID;"
    "CREATE TABLE snapshot(partition_id INTEGER, generation INTEGER, epoch INTEGER NOT NULL,"
    "  through_seq INTEGER NOT NULL, through_crc INTEGER NOT NULL, observations INTEGER NOT NULL,"
    "  state_hash INTEGER NOT NULL, chunks INTEGER NOT NULL, crc INTEGER NOT NULL,"
    "  PRIMARY KEY(partition_id, generation)) WITHOUT ROWID;"
    "CREATE TABLE snapshot_chunk(partition_id INTEGER, number INTEGER, generation INTEGER,"
    "  kind INTEGER NOT NULL, codec INTEGER NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL,"
    "  payload BLOB NOT NULL, PRIMARY KEY(partition_id, number, generation)) WITHOUT ROWID;"
    "CREATE TABLE journal_quarantine(partition_id INTEGER, seq INTEGER, epoch INTEGER, kind INTEGER,"
    "  codec INTEGER, count INTEGER, oldest INTEGER, newest INTEGER, written INTEGER, prev_crc INTEGER,"
    "  crc INTEGER, payload BLOB, reason TEXT NOT NULL, moved INTEGER NOT NULL);"
    "CREATE TABLE report(id TEXT PRIMARY KEY, state TEXT NOT NULL, params TEXT NOT NULL, as_of INTEGER,"
    "  created INTEGER NOT NULL, finished INTEGER, stores_total INTEGER NOT NULL,"
    "  stores_done INTEGER NOT NULL, error_code TEXT NOT NULL, error_text TEXT NOT NULL,"
    "  file_name TEXT NOT NULL, file_bytes INTEGER NOT NULL, gaps TEXT NOT NULL, crc INTEGER NOT NULL,"
    "  bytes_crc INTEGER, bytes BLOB);",
    // Records in the order of arrival: see record_places.hpp.
    "CREATE TABLE journal_2(id INTEGER PRIMARY KEY, partition_id INTEGER NOT NULL, seq INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL, kind INTEGER NOT NULL, codec INTEGER NOT NULL, count INTEGER NOT NULL,"
    "  oldest INTEGER NOT NULL, newest INTEGER NOT NULL, written INTEGER NOT NULL,"
    "  prev_crc INTEGER NOT NULL, crc INTEGER NOT NULL, payload BLOB NOT NULL);"
    "INSERT INTO journal_2 SELECT NULL, * FROM journal ORDER BY written, partition_id, seq;"
    "DROP TABLE journal;"
    "ALTER TABLE journal_2 RENAME TO journal;"};

uint32_t crc_of_value(std::string_view name, std::string_view value) {
  return crc32c(value, crc32c({"", 1}, crc32c(name)));
}

/// 128 random bits.
std::string new_incarnation() {
  std::array<unsigned char, 16> bits;
  sqlite3_randomness(bits.size(), bits.data());
  std::string text;
  for (const auto b : bits) {
    constexpr const char* digits = "0123456789abcdef";
    text += {digits[b >> 4], digits[b & 15]};
  }
  return text;
}

/// The form the tables have; 0 where there are none.
result<int64_t> version_of(sqlite_handle& db) {
  bool there = false;
  const auto seen = [&](const sqlite_row&) { return there = true; };
  if (const int code = db.each("SELECT 1 FROM sqlite_schema WHERE name = 'meta'", seen); code != SQLITE_OK)
    return read_failure(db, code);
  if (!there)
    return 0;
  const auto text = read_value(db, "schema_version");
  if (!text)
    return text.error();
  int64_t version = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), version);
  if (failed != std::errc() || end != text->data() + text->size() || version < 1)
    return error{errc::damaged, db.path() + " does not tell the version of its tables"};
  return version;
}

} // namespace

error read_failure(const sqlite_handle& db, int code) {
  switch (code & 0xff) {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return {errc::damaged, db.path() + ": " + db.message()};
  case SQLITE_IOERR:
    return {errc::io_failed, db.path() + ": " + db.message()};
  default:
    return {errc::internal, db.path() + ": " + db.message()};
  }
}

result<std::string> read_value(sqlite_handle& db, std::string_view name) {
  std::string value;
  bool sound = true;
  const int code = db.each(
      "SELECT value, crc FROM meta WHERE name = ?1",
      [&](const sqlite_row& row) {
        value = row.bytes(0);
        sound = crc_fits(row.integer<uint32_t>(1), crc_of_value(name, value));
        return true;
      },
      name);
  if (code != SQLITE_OK)
    return read_failure(db, code);
  if (!sound)
    return error{errc::damaged, "the value '" + std::string(name) + "' fails its CRC"};
  return value;
}

int write_value(sqlite_handle& db, std::string_view name, std::string_view value) {
  return db.run("INSERT INTO meta(name, value, crc) VALUES(?1, ?2, ?3) "
                "ON CONFLICT(name) DO UPDATE SET value = excluded.value, crc = excluded.crc",
                name, blob{value}, crc_of_value(name, value));
}

int write_incarnation(sqlite_handle& db) {
  return write_value(db, "incarnation", new_incarnation());
}

result<void> migrate(sqlite_handle& db, bool create) {
  const auto version = version_of(db);
  if (!version)
    return version.error();
  if (*version > schema_newest)
    return error{errc::invalid_argument, db.path() +
                                             " was written by a newer storemon: its tables are of version " +
                                             std::to_string(*version) + ", the newest known here is " +
                                             std::to_string(schema_newest)};
  if (*version == 0 && !create)
    return error{errc::damaged, db.path() + " holds no tables of storemon"};
  if (*version == schema_newest)
    return {};
  int code = db.script("BEGIN EXCLUSIVE");
  for (auto next = *version; code == SQLITE_OK && next < schema_newest; ++next)
    code = db.script(migrations[static_cast<size_t>(next)]);
  if (code == SQLITE_OK && *version == 0)
    code = write_incarnation(db);
  if (code == SQLITE_OK)
    code = write_value(db, "schema_version", std::to_string(schema_newest));
  if (code == SQLITE_OK)
    code = db.script("COMMIT");
  if (code != SQLITE_OK)
    return error{(code & 0xff) == SQLITE_FULL ? errc::disk_full : errc::io_failed,
                 db.path() + ": its tables cannot be made: " + db.message()};
  return {};
}

} // namespace storemon::journal
