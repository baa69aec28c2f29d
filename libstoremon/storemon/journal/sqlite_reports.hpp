#pragma once

#include "storemon/journal/sqlite_handle.hpp"
#include "storemon/protocol/messages.hpp"

#include <string>
#include <vector>

/// Table report.
namespace storemon::journal {

/// Inserts or replaces a report; its bytes stay where it has none. SQLite's result code.
int write_report(sqlite_handle& db, const protocol::stored_report& report);

/// See backend::reports.
result<std::vector<protocol::stored_report>> read_reports(sqlite_handle& db);

/// See backend::report_bytes.
result<std::string> read_report_bytes(sqlite_handle& db, const std::string& id);

} // namespace storemon::journal
