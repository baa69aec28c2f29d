#pragma once

#include "storemon/synth/random.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace storemon::test {

/// A disk for SQLite, in memory, that keeps what was synced and may lose all else, sector by sector, when its
/// power is cut; and that fails as it is told to. Registered under its own name as long as it lives.
class crash_disk {
public:
  static constexpr size_t sector_bytes = 512;

  /// What a file's begin, length and sectors are to a reader, and to one after a cut.
  struct file {
    std::string seen;    ///< as the operating system shows it
    std::string durable; ///< as it is on the platter
    /// Sectors written since the last sync, and which of their bytes. Overwriting is powersafe, as SQLite
    /// takes it to be: bytes of a sector that are not written stay what they are.
    std::map<size_t, std::pair<size_t, size_t>> dirty;
    // A sector whose sync failed is in neither: it is shown, but no later sync writes it.
  };

  /// How likely calls are to fail, per mille.
  struct faults {
    uint64_t sync = 0;
    uint64_t write = 0;
    uint64_t read = 0;
  };

  explicit crash_disk(uint64_t seed);
  ~crash_disk();
  crash_disk(const crash_disk&) = delete;
  crash_disk& operator=(const crash_disk&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// Cuts the power at the n-th write, sync, truncation or deletion from now on; `at_cut` is called then.
  void cut_after(uint64_t calls, std::function<void()> at_cut = {});

  bool is_cut() const noexcept { return cut_; }

  /// Cuts the power now, if it is not cut, and gives it back: only now is seen what is left.
  void power_cycle();

  void set_faults(faults f) noexcept { faults_ = f; }

  /// All files together grow no further.
  void set_room(uint64_t bytes) noexcept { room_ = bytes; }

  uint64_t bytes_used() const;

  uint64_t faults_injected() const noexcept { return injected_; }

  uint64_t calls() const noexcept { return calls_; }

  // What the functions of the file system do; SQLite's codes.
  int read(file& f, char* to, size_t length, uint64_t from);
  int write(file& f, const char* bytes, size_t length, uint64_t to);
  int truncate(file& f, uint64_t size);
  int sync(file& f);
  int remove(const std::string& path);
  std::shared_ptr<file> open(const std::string& path, bool create);

  bool exists(const std::string& path) const { return files_.contains(path); }

private:
  /// Counts a call that changes something; whether the power is still on.
  bool on();
  bool strikes(uint64_t per_mille);
  void lose(file& f);

  std::string name_;
  sqlite3_vfs vfs_;
  synth::random_source random_;
  std::map<std::string, std::shared_ptr<file>> files_;
  faults faults_;
  uint64_t room_ = std::numeric_limits<uint64_t>::max();
  uint64_t calls_ = 0;
  uint64_t cut_at_ = std::numeric_limits<uint64_t>::max();
  std::function<void()> at_cut_;
  bool cut_ = false;
  uint64_t injected_ = 0;
};

} // namespace storemon::test
