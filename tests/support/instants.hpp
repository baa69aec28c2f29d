#pragma once

#include "storemon/model/interval.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace storemon::test {

/// The instant of that text, which the test has right.
inline instant at(std::string_view text) {
  const auto parsed = parse_instant(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

/// `[from, to)` of two such texts.
inline interval span(std::string_view from, std::string_view to) {
  return {at(from), at(to)};
}

} // namespace storemon::test

/// Failures show times, not bytes.
template <>
struct Catch::StringMaker<storemon::interval> {
  static std::string convert(const storemon::interval& i) {
    return storemon::to_rfc3339(i.from) + ".." + storemon::to_rfc3339(i.to);
  }
};
