#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace storemon::test {

/// Alters a text at one place: a character replaced or put in, of `by`, or up to three taken out.
inline void damage_once(std::string& text, const std::string& by, std::mt19937_64& random) {
  const auto at = random() % text.size();
  switch (random() % 3) {
  case 0:
    text[at] = by[random() % by.size()];
    break;
  case 1:
    text.insert(at, 1, by[random() % by.size()]);
    break;
  default:
    text.erase(at, 1 + random() % 3);
  }
}

} // namespace storemon::test
