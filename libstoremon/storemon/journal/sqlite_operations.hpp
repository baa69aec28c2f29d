#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/record_places.hpp"
#include "storemon/journal/sqlite_handle.hpp"

#include <optional>
#include <variant>
#include <vector>

namespace storemon::journal {

/// What became of an operation within a transaction: its outcome, or SQLite's result code. Where the outcome
/// is not ok, what was done of the operation is still there if it is damaged.
using operation_outcome = std::variant<errc, int>;

/// Applies operations within a transaction of the caller's.
struct sqlite_operations {
  sqlite_handle& db;
  record_places& places; ///< learns of what is added and deleted; to be kept or undone with the transaction

  operation_outcome operator()(const take_over& t) const;
  operation_outcome operator()(const append& a) const;
  operation_outcome operator()(const put_snapshot& s) const;
  operation_outcome operator()(const compact& c) const;
  operation_outcome operator()(const put_report& p) const;
  operation_outcome operator()(const drop_reports& d) const;
  operation_outcome operator()(const put_value& v) const;
};

/// A row of partition_owner.
struct owner_row {
  ownership owner;
  uint64_t names = 0; ///< how many the partition's stores have
};

/// A partition's row; a fresh one where there is none. Fails with damaged.
result<owner_row> read_owner(sqlite_handle& db, uint32_t partition);

/// Writes a partition's row where its epoch is still the one seen; so whoever was taken over changes nothing.
/// SQLite's result code.
int write_owner(sqlite_handle& db, uint32_t partition, const owner_row& row, uint64_t epoch_seen);

/// Adds the record of a row of table journal to `rows`, unchecked; none where there is no such row.
int read_record(sqlite_handle& db, int64_t row, std::vector<record>& rows);

/// Writes a record after all others, or at a row that is free.
int write_record(sqlite_handle& db, const record& r, std::optional<int64_t> row = {});

/// Raises the epochs of all partitions, so that no owner of before can write. Fails with damaged.
result<void> raise_epochs(sqlite_handle& db, uint64_t by);

/// The newest manifests, newest first, at most two.
int read_manifests(sqlite_handle& db, uint32_t partition, std::vector<manifest>& newest);

} // namespace storemon::journal
