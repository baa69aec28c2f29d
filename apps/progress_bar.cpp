#include "progress_bar.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace storemon {

progress_bar::progress_bar(std::string label)
    : label_(std::move(label)), terminal_(isatty(STDERR_FILENO) == 1) {}

progress_bar::~progress_bar() {
  if (drawn_)
    std::fputs("\r\x1b[K", stderr);
}

void progress_bar::show(uint64_t done, uint64_t total) {
  if (!terminal_ || total == 0)
    return;
  constexpr uint64_t width = 40;
  const auto share = std::min(done, total) * width / total;
  std::string cells(width, ' ');
  std::fill_n(cells.begin(), share, '#');
  std::fprintf(stderr, "\r%s [%s] %3llu %%", label_.c_str(), cells.c_str(),
               static_cast<unsigned long long>(std::min(done, total) * 100 / total));
  std::fflush(stderr);
  drawn_ = true;
}

} // namespace storemon
