#pragma once

#include "storemon/journal/bytes.hpp"
#include "storemon/journal/store_names.hpp"
#include "storemon/model/update.hpp"

#include <optional>

/// The plain form of updates.
namespace storemon::journal {

/// What a record's header tells of its update.
struct update_summary {
  size_t count = 0;   ///< rows
  int64_t oldest = 0; ///< of its observations; 0 where it has none
  int64_t newest = 0;
};

void write(byte_writer& out, const batch_mark& mark);
batch_mark read_mark(byte_reader& in);

/// Appends an update's plain form.
update_summary write(std::string& out, const update& change, store_names& names);

/// An update of a kind, and how many rows it has; nothing where the bytes are none. Takes at most
/// store_id_bytes_max times the memory of what is read.
std::optional<update> read_update(byte_reader& in, uint8_t kind, const store_names& names, size_t& count);

} // namespace storemon::journal
