#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/sqlite_handle.hpp"

#include <string>
#include <vector>

namespace storemon::journal {

/// What SQLite's own check finds wrong with the pages of a file, a sentence each.
result<std::vector<std::string>> check_pages(sqlite_handle& db);

/// Writes all that a database holds to a new file with the permissions of `mode_of`, makes it durable, and
/// compares the copy to the original. Fails with invalid_argument where there is such a file, disk_full,
/// io_failed, damaged; there is no copy then.
result<void> copy_database(sqlite_handle& db, const std::string& path, const std::string& mode_of,
                           const std::string& vfs);

/// Copies a database page by page to a new file with the permissions of `mode_of`, by SQLite's own means,
/// which write what is committed meanwhile to the copy too. Fails as copy_database, and so does the copying.
result<std::unique_ptr<backend::copying>> begin_page_copy(sqlite_handle& db, const std::string& path,
                                                          const std::string& mode_of);

/// Removes a database's files, where there are any; what cannot be removed stays.
void remove_database(sqlite_handle& db, const std::string& path);

} // namespace storemon::journal
