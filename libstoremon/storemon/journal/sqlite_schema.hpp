#pragma once

#include "storemon/journal/sqlite_handle.hpp"

#include <cstdint>
#include <string_view>

namespace storemon::journal {

/// The newest form of the tables we know.
inline constexpr int64_t schema_newest = 2;

/// Brings the tables to the newest form, in one transaction. Fails with invalid_argument when they are newer
/// than we are, damaged when there are none and none are to be made.
result<void> migrate(sqlite_handle& db, bool create);

/// Gives the data a name that no other data has, not those it was copied from either. SQLite's result code.
int write_incarnation(sqlite_handle& db);

/// A value of table meta, empty where there is none. Fails with damaged.
result<std::string> read_value(sqlite_handle& db, std::string_view name);

/// SQLite's result code.
int write_value(sqlite_handle& db, std::string_view name, std::string_view value);

/// What a failed read is to those who asked: io_failed, damaged or internal.
error read_failure(const sqlite_handle& db, int code);

} // namespace storemon::journal
