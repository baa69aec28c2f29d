#include "support/crash_vfs.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

namespace storemon::test {

namespace {

/// What SQLite holds of an open file.
struct open_file {
  sqlite3_file base;
  crash_disk* disk;
  std::shared_ptr<crash_disk::file> file;
};

open_file& self(sqlite3_file* f) {
  return *reinterpret_cast<open_file*>(f);
}

crash_disk& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<crash_disk*>(vfs->pAppData);
}

/// One process has the disk for itself.
int no_lock(sqlite3_file*, int) {
  return SQLITE_OK;
}

const sqlite3_io_methods methods = [] {
  sqlite3_io_methods m{};
  m.iVersion = 1;
  m.xClose = [](sqlite3_file* f) {
    self(f).file.~shared_ptr();
    return SQLITE_OK;
  };
  m.xRead = [](sqlite3_file* f, void* to, int length, sqlite3_int64 from) {
    return self(f).disk->read(*self(f).file, static_cast<char*>(to), static_cast<size_t>(length),
                              static_cast<uint64_t>(from));
  };
  m.xWrite = [](sqlite3_file* f, const void* bytes, int length, sqlite3_int64 to) {
    return self(f).disk->write(*self(f).file, static_cast<const char*>(bytes), static_cast<size_t>(length),
                               static_cast<uint64_t>(to));
  };
  m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
    return self(f).disk->truncate(*self(f).file, static_cast<uint64_t>(size));
  };
  m.xSync = [](sqlite3_file* f, int) { return self(f).disk->sync(*self(f).file); };
  m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(self(f).file->seen.size());
    return SQLITE_OK;
  };
  m.xLock = no_lock;
  m.xUnlock = no_lock;
  m.xCheckReservedLock = [](sqlite3_file*, int* taken) {
    *taken = 0;
    return SQLITE_OK;
  };
  m.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
  m.xSectorSize = [](sqlite3_file*) { return 4096; };
  m.xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
  return m;
}();

int open_on(sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* flags_out) {
  f->pMethods = nullptr;
  // SQLite names no file where it wants one for itself alone.
  auto file = path ? disk_of(vfs).open(path, (flags & SQLITE_OPEN_CREATE) != 0)
                   : std::make_shared<crash_disk::file>();
  if (!file)
    return SQLITE_CANTOPEN;
  auto& opened = self(f);
  opened.disk = &disk_of(vfs);
  new (&opened.file) std::shared_ptr<crash_disk::file>(std::move(file));
  f->pMethods = &methods;
  if (flags_out)
    *flags_out = flags;
  return SQLITE_OK;
}

} // namespace

crash_disk::crash_disk(uint64_t seed) : vfs_(*sqlite3_vfs_find(nullptr)), random_(seed, 3) {
  static std::atomic<uint64_t> number;
  name_ = "crash-" + std::to_string(++number);
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(open_file);
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open_on;
  vfs_.xDelete = [](sqlite3_vfs* vfs, const char* path, int) { return disk_of(vfs).remove(path); };
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* path, int, int* there) {
    *there = disk_of(vfs).exists(path) ? 1 : 0;
    return SQLITE_OK;
  };
  vfs_.xFullPathname = [](sqlite3_vfs*, const char* path, int room, char* whole) {
    sqlite3_snprintf(room, whole, "%s", path);
    return SQLITE_OK;
  };
  sqlite3_vfs_register(&vfs_, 0);
}

crash_disk::~crash_disk() {
  sqlite3_vfs_unregister(&vfs_);
}

void crash_disk::cut_after(uint64_t calls, std::function<void()> at_cut) {
  cut_at_ = calls_ + calls;
  at_cut_ = std::move(at_cut);
}

bool crash_disk::on() {
  if (!cut_ && ++calls_ >= cut_at_) {
    cut_ = true;
    if (at_cut_)
      at_cut_();
  }
  return !cut_;
}

bool crash_disk::strikes(uint64_t per_mille) {
  if (per_mille == 0 || !random_.chance(per_mille))
    return false;
  ++injected_;
  return true;
}

/// Of each sector that was not synced 40 % are written, 10 % are garbage, and 50 % are as before.
void crash_disk::lose(file& f) {
  for (const auto& [sector, written] : f.dirty) {
    const auto begin = sector * sector_bytes + written.first;
    const auto end = std::min(sector * sector_bytes + written.second, f.seen.size());
    const auto kind = random_.below(10);
    if (begin >= end || kind >= 5)
      continue;
    if (f.durable.size() < end)
      f.durable.resize(end);
    for (size_t i = begin; i < end; ++i)
      f.durable[i] = kind < 4 ? f.seen[i] : static_cast<char>(random_.next());
  }
  f.dirty.clear();
  f.seen = f.durable;
}

void crash_disk::power_cycle() {
  for (auto& [path, f] : files_)
    lose(*f);
  cut_ = false;
  cut_at_ = std::numeric_limits<uint64_t>::max();
  at_cut_ = {};
}

uint64_t crash_disk::bytes_used() const {
  uint64_t sum = 0;
  for (const auto& [path, f] : files_)
    sum += f->seen.size();
  return sum;
}

int crash_disk::read(file& f, char* to, size_t length, uint64_t from) {
  if (cut_ || strikes(faults_.read))
    return SQLITE_IOERR_READ;
  const auto there = from >= f.seen.size() ? 0 : std::min(length, f.seen.size() - static_cast<size_t>(from));
  if (there > 0)
    std::memcpy(to, f.seen.data() + from, there);
  std::memset(to + there, 0, length - there);
  return there == length ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int crash_disk::write(file& f, const char* bytes, size_t length, uint64_t to) {
  const bool struck = strikes(faults_.write);
  // What is being written when the power goes may get there in part, as what was written before.
  const bool powered = !cut_ && !struck;
  const auto end = static_cast<size_t>(to) + length;
  if (powered && end > f.seen.size() && bytes_used() + (end - f.seen.size()) > room_)
    return SQLITE_FULL;
  if (powered) {
    if (f.seen.size() < end)
      f.seen.resize(end);
    std::memcpy(f.seen.data() + to, bytes, length);
    for (auto at = static_cast<size_t>(to); at < end;) {
      const auto sector = at / sector_bytes;
      const auto begin = sector * sector_bytes;
      const auto next = std::min(end, begin + sector_bytes);
      const auto [it, fresh] = f.dirty.try_emplace(sector, at - begin, next - begin);
      if (!fresh)
        it->second = {std::min(it->second.first, at - begin), std::max(it->second.second, next - begin)};
      at = next;
    }
  }
  return on() && !struck ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int crash_disk::truncate(file& f, uint64_t size) {
  if (!on())
    return SQLITE_IOERR_TRUNCATE;
  if (size < f.seen.size()) {
    f.seen.resize(size);
    f.durable.resize(std::min<size_t>(f.durable.size(), size)); // as journaling file systems do
    f.dirty.erase(f.dirty.lower_bound((size + sector_bytes - 1) / sector_bytes), f.dirty.end());
  }
  return SQLITE_OK;
}

int crash_disk::sync(file& f) {
  if (!on())
    return SQLITE_IOERR_FSYNC;
  if (strikes(faults_.sync)) {
    f.dirty.clear(); // Linux marks the pages clean
    return SQLITE_IOERR_FSYNC;
  }
  f.durable.resize(f.seen.size());
  for (const auto& [sector, written] : f.dirty) {
    const auto begin = sector * sector_bytes + written.first;
    const auto end = std::min(sector * sector_bytes + written.second, f.seen.size());
    if (begin < end)
      std::memcpy(f.durable.data() + begin, f.seen.data() + begin, end - begin);
  }
  f.dirty.clear();
  return SQLITE_OK;
}

int crash_disk::remove(const std::string& path) {
  if (!on())
    return SQLITE_IOERR_DELETE;
  return files_.erase(path) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

std::shared_ptr<crash_disk::file> crash_disk::open(const std::string& path, bool create) {
  if (cut_)
    return nullptr;
  auto it = files_.find(path);
  if (it == files_.end() && create)
    it = files_.emplace(path, std::make_shared<file>()).first;
  return it == files_.end() ? nullptr : it->second;
}

} // namespace storemon::test
