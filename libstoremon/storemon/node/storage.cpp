#include "storemon/node/storage.hpp"

#include "storemon/journal/sqlite_backend.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace storemon::node {

namespace {

constexpr auto partitions_name = "node.partitions";

/// Enough for the snapshots and the log of a shutdown on a full disk.
constexpr uint64_t reserve_bytes = uint64_t{32} << 20;

/// What a process that died left in the spool nobody waits for.
result<void> empty_spool(const std::filesystem::path& spool) {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::remove_all(spool, failure);
  if (!failure)
    fs::create_directory(spool, failure);
  if (!failure)
    fs::permissions(spool, fs::perms::owner_all, failure);
  if (failure)
    return error{errc::io_failed, spool.string() + ": " + failure.message()};
  return {};
}

} // namespace

std::filesystem::path spool_of(const std::filesystem::path& directory) {
  return directory / "spool";
}

std::filesystem::path control_socket_of(const std::filesystem::path& directory) {
  return directory / "control.sock";
}

result<uint32_t> partitions_of(journal::backend& kept) {
  const auto text = kept.value(partitions_name);
  if (!text)
    return text.error();
  uint32_t partitions = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), partitions);
  if (failure != std::errc() || end != text->data() + text->size() || partitions == 0)
    return error{errc::invalid_argument, "this is no data of a node: it does not tell its partitions"};
  return partitions;
}

result<storage> open_storage(const std::string& path, uint32_t partitions) {
  const auto directory = std::filesystem::absolute(path);
  journal::sqlite_options options{directory.string()};
  options.reserve_bytes = reserve_bytes;
  auto kept = journal::open_sqlite(options);
  if (!kept)
    return error{kept.error().code, "data directory " + path + ": " + kept.error().detail};
  const auto text = (*kept)->value(partitions_name);
  if (!text)
    return text.error();
  if (text->empty()) {
    const std::array<journal::operation, 1> made{
        journal::put_value{partitions_name, std::to_string(partitions)}};
    if (const auto done = (*kept)->commit(made); !done)
      return done.error();
  } else if (*text != std::to_string(partitions)) {
    return error{errc::invalid_argument,
                 "the data directory " + path + " was made with node.partitions=" + *text +
                     ", which cannot be changed; it is " + std::to_string(partitions) + " now"};
  }
  if (const auto emptied = empty_spool(spool_of(directory)); !emptied)
    return emptied.error();
  return storage{directory, std::move(*kept)};
}

uint64_t free_min(const std::filesystem::path& path, uint32_t megabytes, uint32_t percent) {
  std::error_code failure;
  const auto space = std::filesystem::space(path, failure);
  const uint64_t share = failure ? 0 : space.capacity / 100 * percent;
  return std::max(uint64_t{megabytes} << 20, share);
}

} // namespace storemon::node
