#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/model/error.hpp"

#include <filesystem>
#include <memory>

namespace storemon::node {

/// A data directory that is held by this process, with its journal open:
///
///     CURRENT, store-<n>.db, LOCK   the journal, see journal/data_directory.hpp
///     control.sock                  where `storemond backup` finds the running server
///     spool/                        files on their way to be imported
struct storage {
  std::filesystem::path directory; ///< absolute
  std::unique_ptr<journal::backend> kept;
};

std::filesystem::path spool_of(const std::filesystem::path& directory);
std::filesystem::path control_socket_of(const std::filesystem::path& directory);

/// Takes and opens a data directory for a node of so many partitions, making it where there is none, and
/// empties its spool. Fails with invalid_argument when it was made for another number of them, io_failed, and
/// as journal::open_sqlite does.
result<storage> open_storage(const std::string& path, uint32_t partitions);

/// The number of partitions the data was made for. Fails with invalid_argument when it is no data of a node.
result<uint32_t> partitions_of(journal::backend& kept);

/// How much is to stay free on the file system of a path, of two settings the larger.
uint64_t free_min(const std::filesystem::path& path, uint32_t megabytes, uint32_t percent);

} // namespace storemon::node
