#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/instant.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

/// SQLite's C interface, as little of it as the journal needs.
namespace storemon::journal {

/// Bytes to be bound as a blob; other texts are bound as text.
struct blob {
  std::string_view bytes;
};

/// The row a statement stands on.
class sqlite_row {
public:
  explicit sqlite_row(sqlite3_stmt* statement) noexcept : statement_(statement) {}

  bool null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

  template <class Integer>
  Integer integer(int column) const noexcept {
    return static_cast<Integer>(sqlite3_column_int64(statement_, column));
  }

  instant time(int column) const noexcept { return instant(duration(integer<int64_t>(column))); }

  std::optional<instant> maybe_time(int column) const noexcept {
    return null(column) ? std::nullopt : std::optional(time(column));
  }

  /// Of a blob or a text.
  std::string bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data ? data : "", static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }

private:
  sqlite3_stmt* statement_;
};

/// One connection to one file, and its statements, prepared once. Functions that answer an int give SQLite's
/// extended result code, SQLITE_OK when all went well.
class sqlite_handle {
public:
  struct options {
    std::string path;
    std::string mode_of; ///< new files get the permissions of this one
    std::string vfs;     ///< empty: the system's
    bool create = false; ///< where there is no such file
  };

  /// Opens a file for this process alone, as the journal wants it: a write-ahead log, and no commit without
  /// its sync. Fails with busy when another has it open, not_found when there is none.
  static result<std::unique_ptr<sqlite_handle>> open(const options& how);

  ~sqlite_handle();
  sqlite_handle(const sqlite_handle&) = delete;
  sqlite_handle& operator=(const sqlite_handle&) = delete;

  /// Runs a statement, a literal, with values for ?1, ?2 and so on. `row` is called with each row, and
  /// answers whether there is to be another.
  template <class Row, class... Values>
  int each(const char* sql, Row row, const Values&... values) {
    auto* statement = prepared(sql);
    if (!statement)
      return sqlite3_extended_errcode(db_);
    int at = 0;
    (bind(statement, ++at, values), ...);
    int code = sqlite3_step(statement);
    while (code == SQLITE_ROW && row(sqlite_row(statement)))
      code = sqlite3_step(statement);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
      code = SQLITE_OK;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code;
  }

  template <class... Values>
  int run(const char* sql, const Values&... values) {
    return each(
        sql, [](const sqlite_row&) { return true; }, values...);
  }

  /// Runs several statements once.
  int script(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

  int64_t changes() const noexcept { return sqlite3_changes64(db_); }

  /// The id that the last INSERT gave.
  int64_t last_row() const noexcept { return sqlite3_last_insert_rowid(db_); }

  bool in_transaction() const noexcept { return sqlite3_get_autocommit(db_) == 0; }

  /// Pages in the log after the last commit.
  int log_pages() const noexcept { return log_pages_; }

  /// Moves the log into the file.
  int checkpoint();

  /// Makes durable whatever the file holds.
  int sync();

  /// Nothing more is written to the file, also not at the end.
  void leave_log_alone() noexcept;

  /// What went wrong last, as SQLite says it.
  std::string message() const { return sqlite3_errmsg(db_); }

  const std::string& path() const noexcept { return path_; }

  /// For what SQLite's interface wants of a connection besides.
  sqlite3* connection() const noexcept { return db_; }

  sqlite3_vfs* vfs() const noexcept { return sqlite3_vfs_find(vfs_.empty() ? nullptr : vfs_.c_str()); }

private:
  struct finalize {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
  };

  sqlite_handle(sqlite3* db, const options& how) noexcept : db_(db), path_(how.path), vfs_(how.vfs) {}

  sqlite3_stmt* prepared(const char* sql);

  // What is bound outlives the step, for each() takes it by reference.
  static void bind(sqlite3_stmt* s, int at, blob b) {
    sqlite3_bind_blob64(s, at, b.bytes.data() ? b.bytes.data() : "", b.bytes.size(), SQLITE_STATIC);
  }

  static void bind(sqlite3_stmt* s, int at, std::string_view text) {
    sqlite3_bind_text64(s, at, text.data() ? text.data() : "", text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }

  template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
  static void bind(sqlite3_stmt* s, int at, Integer n) {
    sqlite3_bind_int64(s, at, static_cast<int64_t>(n));
  }

  static void bind(sqlite3_stmt* s, int at, instant t) { bind(s, at, t.time_since_epoch().count()); }

  template <class T>
  static void bind(sqlite3_stmt* s, int at, const std::optional<T>& value) {
    if (value)
      bind(s, at, *value);
    else
      sqlite3_bind_null(s, at);
  }

  sqlite3* db_;
  std::string path_;
  std::string vfs_;
  int log_pages_ = 0;
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, finalize>> statements_;
};

/// A path as an SQLite URI that gives new files the permissions of another one.
std::string sqlite_uri(const std::string& path, const std::string& mode_of);

} // namespace storemon::journal
