#include "storemon/journal/log_scan.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace storemon::journal {

namespace {

namespace fs = std::filesystem;

constexpr size_t header_bytes = 32;
constexpr size_t frame_header_bytes = 24;

uint32_t big_endian(const char* at) {
  const auto byte = [&](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(at[i])); };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

uint32_t little_endian(const char* at) {
  const auto byte = [&](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(at[i])); };
  return byte(3) << 24 | byte(2) << 16 | byte(1) << 8 | byte(0);
}

/// The log's running checksum: section 4.2 of the format.
struct checksum {
  uint32_t s0 = 0;
  uint32_t s1 = 0;

  void add(std::string_view bytes, bool big) {
    for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      const auto* at = bytes.data() + i;
      s0 += (big ? big_endian(at) : little_endian(at)) + s1;
      s1 += (big ? big_endian(at + 4) : little_endian(at + 4)) + s0;
    }
  }

  friend bool operator==(const checksum&, const checksum&) = default;
};

checksum stored_at(const char* at) {
  return {big_endian(at), big_endian(at + 4)};
}

struct header {
  bool sound = false;
  bool big = false; ///< checksums are of big-endian words
  uint64_t page_bytes = 4096;
  uint32_t salt0 = 0;
  uint32_t salt1 = 0;
  checksum sum;
};

header read_header(std::string_view log) {
  constexpr uint32_t magic = 0x377f0682;
  header h;
  const auto word = big_endian(log.data());
  h.big = (word & 1) != 0;
  h.page_bytes = big_endian(log.data() + 8);
  h.salt0 = big_endian(log.data() + 16);
  h.salt1 = big_endian(log.data() + 20);
  h.sum.add(log.substr(0, 24), h.big);
  const bool size_fits =
      h.page_bytes >= 512 && h.page_bytes <= 65536 && (h.page_bytes & (h.page_bytes - 1)) == 0;
  h.sound = (word & ~1U) == magic && size_fits && h.sum == stored_at(log.data() + 24);
  return h;
}

/// A frame that the header's generation wrote, even when one of its two salts was damaged. Frames that an
/// earlier one left behind share neither.
bool is_own(const header& h, const char* frame) {
  return big_endian(frame + 8) == h.salt0 || big_endian(frame + 12) == h.salt1;
}

bool ends_commit(const char* frame) {
  return big_endian(frame + 4) != 0;
}

/// Looks at what stands behind the frames that fit.
void look_behind(std::string_view rest, const header& h, bool any_is_own, log_scan& found) {
  const auto frame_bytes = frame_header_bytes + h.page_bytes;
  for (size_t at = 0; at + frame_bytes <= rest.size(); at += frame_bytes) {
    const auto* frame = rest.data() + at;
    if (!any_is_own && !is_own(h, frame))
      continue;
    found.cut = true;
    found.synced_after = found.synced_after || found.commits_cut > 0;
    found.commits_cut += ends_commit(frame);
  }
}

log_scan scan(std::string_view log) {
  log_scan found;
  found.present = true;
  if (log.size() < header_bytes)
    return found;
  auto h = read_header(log);
  if (!h.sound) {
    h.page_bytes = 4096; // SQLite's default, and ours
    look_behind(log.substr(header_bytes), h, true, found);
    return found;
  }
  const auto frame_bytes = frame_header_bytes + h.page_bytes;
  auto sum = h.sum;
  size_t at = header_bytes;
  for (; at + frame_bytes <= log.size(); at += frame_bytes) {
    const auto frame = log.substr(at, frame_bytes);
    auto next = sum;
    next.add(frame.substr(0, 8), h.big);
    next.add(frame.substr(frame_header_bytes), h.big);
    const bool fits = big_endian(frame.data()) != 0 && big_endian(frame.data() + 8) == h.salt0 &&
                      big_endian(frame.data() + 12) == h.salt1 && next == stored_at(frame.data() + 16);
    if (!fits)
      break;
    sum = next;
    if (ends_commit(frame.data())) {
      ++found.commits;
      found.bytes_sound = at + frame_bytes;
    }
  }
  look_behind(log.substr(at), h, false, found);
  return found;
}

std::string log_of(const std::string& database) {
  return database + "-wal";
}

error failed(const std::string& path) {
  return {errc::io_failed, path + ": " + std::strerror(errno)};
}

std::string how_to_give_up(const std::string& database) {
  return "; 'storemond repair " + fs::path(database).parent_path().string() +
         " --accept-loss=log' gives them up and starts without";
}

} // namespace

result<log_scan> scan_log(const std::string& database) {
  const auto path = log_of(database);
  std::error_code code;
  if (!fs::exists(path, code)) {
    if (code)
      return error{errc::io_failed, path + ": " + code.message()};
    return log_scan();
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  const std::string log{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in || in.bad())
    return failed(path);
  return scan(log);
}

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(in, id);
  return id;
}

result<void> check_log(const std::string& database, const std::string& written_on) {
  const auto found = scan_log(database);
  if (!found)
    return found.error();
  if (!found->present && !written_on.empty())
    return error{errc::damaged,
                 log_of(database) +
                     " is missing, although the process before was not stopped: commits that were "
                     "answered may be lost" +
                     how_to_give_up(database)};
  const bool power_was_on = !written_on.empty() && written_on == boot_id();
  if (found->cut && (power_was_on || found->synced_after))
    return error{errc::damaged,
                 log_of(database) + " is damaged behind commit " + std::to_string(found->commits) + ": " +
                     std::to_string(found->commits_cut) + " later commits that were answered would be lost" +
                     how_to_give_up(database)};
  return {};
}

result<std::string> give_up_log(const std::string& database) {
  const auto found = scan_log(database);
  if (!found)
    return found.error();
  if (!found->present)
    return "the log that is missing was given up";
  if (!found->cut)
    return error{errc::invalid_argument, log_of(database) + " is sound: there is nothing to give up"};
  std::error_code code;
  fs::copy_file(log_of(database), log_of(database) + ".lost", fs::copy_options::overwrite_existing, code);
  if (!code)
    fs::resize_file(log_of(database), found->bytes_sound, code);
  if (code)
    return error{errc::io_failed, log_of(database) + ": " + code.message()};
  return std::to_string(found->commits_cut) + " commits behind commit " + std::to_string(found->commits) +
         " of the log were given up; it was kept as " + log_of(database) + ".lost";
}

} // namespace storemon::journal
