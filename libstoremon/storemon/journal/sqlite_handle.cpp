#include "storemon/journal/sqlite_handle.hpp"

#ifndef STOREMON_PLANT_BUG
#define STOREMON_PLANT_BUG 0
#endif

namespace storemon::journal {

namespace {

/// One connection of one process: the log needs no shared memory, and SQLite's WAL-reset bug (two connections
/// that checkpoint and write at once) cannot strike. Freed pages need not be overwritten, and nothing is
/// mapped, so that a failing disk is an error and no signal. SQLite's own hook, which would move the log and
/// keep a failure to itself, is replaced by ours. The cache has room for the pages that go on being written.
constexpr const char* settings = "PRAGMA locking_mode=EXCLUSIVE;"
                                 "PRAGMA journal_mode=WAL;"
#if STOREMON_PLANT_BUG == 1
                                 "PRAGMA synchronous=NORMAL;"
#else
                                 "PRAGMA synchronous=FULL;"
#endif
                                 "PRAGMA journal_size_limit=67108864;"
                                 "PRAGMA secure_delete=OFF;"
                                 "PRAGMA mmap_size=0;"
                                 "PRAGMA cache_size=-8192;"
                                 "PRAGMA temp_store=MEMORY;"
                                 "PRAGMA trusted_schema=OFF;"
                                 "BEGIN EXCLUSIVE;"
                                 "COMMIT;";

} // namespace

std::string sqlite_uri(const std::string& path, const std::string& mode_of) {
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text)
      if (c == '%' || c == '?' || c == '#' || c == '&') {
        constexpr const char* digits = "0123456789abcdef";
        out += {'%', digits[c >> 4], digits[c & 15]};
      } else
        out += c;
    return out;
  };
  return "file:" + escaped(path) + "?modeof=" + escaped(mode_of);
}

result<std::unique_ptr<sqlite_handle>> sqlite_handle::open(const options& how) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (how.create ? SQLITE_OPEN_CREATE : 0);
  int code = sqlite3_open_v2(sqlite_uri(how.path, how.mode_of).c_str(), &db, flags,
                             how.vfs.empty() ? nullptr : how.vfs.c_str());
  std::unique_ptr<sqlite_handle> handle(new sqlite_handle(db, how));
  if (code == SQLITE_OK) {
    sqlite3_wal_hook(
        db,
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<sqlite_handle*>(self)->log_pages_ = pages;
          return SQLITE_OK;
        },
        handle.get());
    code = handle->script(settings);
  }
  if (code == SQLITE_OK)
    return handle;
  const auto failed = [&](errc c) { return error{c, how.path + ": " + handle->message()}; };
  switch (code & 0xff) {
  case SQLITE_BUSY:
    return error{errc::busy, how.path + " is in use by another process"};
  case SQLITE_CANTOPEN:
    return failed(errc::not_found);
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return failed(errc::damaged);
  case SQLITE_FULL:
    return failed(errc::disk_full);
  default:
    return failed(errc::io_failed);
  }
}

sqlite_handle::~sqlite_handle() {
  statements_.clear();
  sqlite3_close(db_);
}

sqlite3_stmt* sqlite_handle::prepared(const char* sql) {
  auto& kept = statements_[sql];
  if (!kept) {
    sqlite3_stmt* fresh = nullptr;
    sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &fresh, nullptr);
    kept.reset(fresh);
  }
  return kept.get();
}

int sqlite_handle::checkpoint() {
  // An empty log has no frames of an earlier one behind its own, so a frame that a kill cut short is known by
  // its missing end: see log_scan. While a backup reads, the log is only moved.
  int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
    code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code == SQLITE_OK)
    log_pages_ = 0;
  return code;
}

int sqlite_handle::sync() {
  sqlite3_file* file = nullptr;
  if (const int code = sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_FILE_POINTER, &file);
      code != SQLITE_OK)
    return code;
  return file->pMethods->xSync(file, SQLITE_SYNC_FULL);
}

void sqlite_handle::leave_log_alone() noexcept {
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

} // namespace storemon::journal
