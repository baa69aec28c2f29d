#pragma once

#include <cstdint>
#include <string>

namespace storemon {

/// A line on standard error that tells how far some work has come; nothing at all where standard error is no
/// terminal. Wipes its line when it ends.
class progress_bar {
public:
  explicit progress_bar(std::string label);
  ~progress_bar();

  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  bool shown() const noexcept { return terminal_; }

  void show(uint64_t done, uint64_t total);

private:
  std::string label_;
  bool terminal_;
  bool drawn_ = false;
};

} // namespace storemon
