#include "storemon/node/maintenance.hpp"

#include "storemon/journal/backup.hpp"
#include "storemon/journal/sqlite_backend.hpp"
#include "storemon/journal/sqlite_repair.hpp"
#include "storemon/journal/verify.hpp"
#include "storemon/node/config.hpp"
#include "storemon/node/control.hpp"
#include "storemon/node/kept_data.hpp"
#include "storemon/node/rebuild.hpp"
#include "storemon/node/storage.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

namespace storemon::node {

namespace fs = std::filesystem;

namespace {

struct command {
  std::string_view name;
  std::string_view takes;
  std::string_view does;
};

constexpr std::array<command, 4> commands{
    {{"backup", "FILE [--data.dir=DIR]",
      "copies a running server's data, or a stopped one's, and checks the copy"},
     {"verify", "DIR|FILE", "checks a data directory or a backup"},
     {"restore", "FILE --data.dir=DIR", "makes a data directory of a backup"},
     {"repair", "DIR --accept-loss=PARTITION:RECORD|log",
      "gives up a damaged record, or what a damaged log held, of a stopped server's data, as verify and the "
      "log name it"}}};

const command* find_command(std::string_view name) {
  const auto* found =
      std::find_if(commands.begin(), commands.end(), [&](const command& c) { return c.name == name; });
  return found == commands.end() ? nullptr : found;
}

std::string usage_of(const command& c) {
  std::string text = "  storemond ";
  return text.append(c.name).append(" ").append(c.takes).append("\n      ").append(c.does).append("\n");
}

int refuse(const std::string& why) {
  std::fprintf(stderr, "storemond: %s\nusage:\n%s", why.c_str(), maintenance_usage().c_str());
  return 2;
}

int complain(const std::string& word, const error& why) {
  std::fprintf(stderr, "storemond %s: %s\n", word.c_str(), why.detail.c_str());
  return 1;
}

/// What a data directory, or a copy, was found to hold.
struct finding {
  uint32_t partitions = 0;
  uint64_t records = 0;
  int64_t stores = 0;
  int64_t observations = 0;
  uint64_t reports = 0;
  uint64_t state_hash = 0;
  std::vector<std::string> damage;
};

result<finding> examine(journal::backend& kept) {
  finding found;
  const auto partitions = partitions_of(kept);
  if (!partitions)
    return partitions.error();
  found.partitions = *partitions;
  const auto verdict = journal::verify(kept, *partitions);
  if (!verdict)
    return verdict.error();
  found.reports = verdict->reports;
  found.damage = verdict->all_damage();
  for (const auto& p : verdict->partitions) {
    found.records += p.records;
    if (!p.damage.empty())
      continue; // it is told already
    auto data = rebuild(kept, p.partition);
    if (!data) {
      found.damage.push_back(data.error().detail);
      continue;
    }
    const auto census = data->census();
    found.stores += census.stores;
    found.observations += census.observations;
    found.state_hash += data->state_hash();
  }
  return found;
}

result<finding> examine_directory(const std::string& path) {
  const auto kept = kept_data::open(path);
  if (!kept)
    return kept.error();
  return examine(kept->backend());
}

result<finding> examine_copy(const std::string& path) {
  const auto scratch = temporary_directory::make_for(path);
  if (!scratch)
    return scratch.error();
  const auto directory = scratch->inside("data");
  auto source = path;
  // SQLite opens no file that it cannot write a log beside.
  if (const auto around = fs::absolute(path).parent_path();
      ::access(path.c_str(), W_OK) != 0 || ::access(around.c_str(), W_OK) != 0) {
    source = scratch->inside("copy.db");
    std::error_code failure;
    if (!fs::copy_file(path, source, failure))
      return error{errc::io_failed, path + ": " + failure.message()};
    fs::permissions(source, fs::perms::owner_read | fs::perms::owner_write, failure);
    if (failure)
      return error{errc::io_failed, source + ": " + failure.message()};
  }
  if (const auto done = journal::restore_sqlite(source, directory); !done)
    return done.error();
  return examine_directory(directory);
}

int verify(const std::string& path) {
  const auto found = fs::is_directory(path) ? examine_directory(path) : examine_copy(path);
  if (!found)
    return complain("verify", found.error());
  std::printf("%s: %u partitions, %lld stores, %lld observations, %llu records, %llu reports, state hash "
              "%016llx\n",
              path.c_str(), found->partitions, static_cast<long long>(found->stores),
              static_cast<long long>(found->observations), static_cast<unsigned long long>(found->records),
              static_cast<unsigned long long>(found->reports),
              static_cast<unsigned long long>(found->state_hash));
  for (const auto& sentence : found->damage)
    std::printf("damaged: %s\n", sentence.c_str());
  std::printf(found->damage.empty() ? "sound\n" : "%zu damages\n", found->damage.size());
  return found->damage.empty() ? 0 : 1;
}

int back_up(const std::string& directory, const std::string& file) {
  const auto path = fs::absolute(file).string();
  if (path.find('\n') != std::string::npos)
    return refuse("a file's name without a line feed is expected");
  const auto beside = fs::path(path).parent_path();
  if (std::error_code unknown; !fs::is_directory(beside, unknown))
    return complain("backup",
                    {errc::invalid_argument, beside.string() + " is no directory to write a copy in"});
  auto done = command_server(control_socket_of(fs::absolute(directory)), "backup " + path);
  if (!done && done.error().code == errc::not_found) {
    // No server has it, so this process may.
    const auto kept = kept_data::open(directory);
    done = kept ? journal::back_up(kept->backend(), path, verify_copy) : result<void>(kept.error());
  }
  if (!done)
    return complain("backup", done.error());
  std::printf("%s: written and verified\n", path.c_str());
  return 0;
}

int restore(const std::string& file, const std::string& directory) {
  if (const auto sound = verify_copy(file); !sound)
    return complain("restore", sound.error());
  if (const auto done = journal::restore_sqlite(file, directory); !done)
    return complain("restore", done.error());
  std::printf("%s: restored\n", directory.c_str());
  return 0;
}

/// "3:17", a partition and a record of it.
std::optional<std::pair<uint32_t, uint64_t>> parse_record(const std::string& text) {
  uint32_t partition = 0;
  uint64_t seq = 0;
  const auto* end = text.data() + text.size();
  const auto [colon, failed] = std::from_chars(text.data(), end, partition);
  if (failed != std::errc() || colon == end || *colon != ':')
    return std::nullopt;
  const auto [after, wrong] = std::from_chars(colon + 1, end, seq);
  if (wrong != std::errc() || after != end)
    return std::nullopt;
  return std::pair(partition, seq);
}

int repair(const std::string& directory, const std::string& loss) {
  if (loss == "log") {
    const auto given_up = journal::accept_log_loss(directory);
    if (!given_up)
      return complain("repair", given_up.error());
    std::printf("%s: %s\n", directory.c_str(), given_up->c_str());
    return 0;
  }
  const auto which = parse_record(loss);
  if (!which)
    return refuse(
        "repair: --accept-loss=PARTITION:RECORD or log is expected, as verify and the log name them");
  const auto why = journal::accept_loss({directory}, which->first, which->second);
  if (!why)
    return complain("repair", why.error());
  std::printf("%s: record %llu of partition %u %s; it was given up\n", directory.c_str(),
              static_cast<unsigned long long>(which->second), which->first, why->c_str());
  return 0;
}

} // namespace

result<void> verify_copy(const std::string& path) {
  const auto found = examine_copy(path);
  if (!found)
    return found.error();
  if (found->damage.empty())
    return {};
  return error{errc::damaged, path + ": " + found->damage.front()};
}

bool is_maintenance(std::span<const std::string> arguments) {
  return !arguments.empty() && (arguments[0] == "export" || find_command(arguments[0]));
}

std::string maintenance_usage() {
  std::string text;
  for (const auto& c : commands)
    text += usage_of(c);
  return text;
}

int run_maintenance(std::span<const std::string> arguments) {
  const auto& word = arguments[0];
  if (word == "export") {
    std::fputs("storemond: the tool exports feeds: storemon export DATA_DIR --out DIR\n", stderr);
    return 2;
  }
  for (const auto& argument : arguments.subspan(1))
    if (argument == "--help" || argument == "-h") {
      std::printf("usage:\n%s", usage_of(*find_command(word)).c_str());
      return 0;
    }
  std::string target;
  std::string directory;
  std::string loss;
  for (const auto& argument : arguments.subspan(1)) {
    constexpr std::string_view option = "--data.dir=";
    constexpr std::string_view accept = "--accept-loss=";
    if (argument.starts_with(option))
      directory = argument.substr(option.size());
    else if (word == "repair" && argument.starts_with(accept) && loss.empty())
      loss = argument.substr(accept.size());
    else if (argument.starts_with("-") || !target.empty())
      return refuse(word + ": unexpected argument '" + argument + "'");
    else
      target = argument;
  }
  if (target.empty())
    return refuse(word + ": a file or a directory is expected");
  if (word == "repair")
    return directory.empty() ? repair(target, loss) : refuse("repair: --data.dir is not expected");
  if (word == "verify")
    return directory.empty() ? verify(target) : refuse("verify: --data.dir is not expected");
  if (word == "restore")
    return directory.empty() ? refuse("restore: --data.dir=DIR is expected") : restore(target, directory);
  return back_up(directory.empty() ? configuration().data.dir : directory, target);
}

} // namespace storemon::node
