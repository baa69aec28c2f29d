#pragma once

#include "storemon/synth/random.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace storemon::synth {

/// How the lengths of one store's outages are spread about their mean.
enum class outage_law : uint8_t {
  exponential, ///< deviation as long as the mean; what telegraph takes for granted
  weibull,     ///< of shape 1/2: many short ones and a few very long ones, deviation 2.24 means
  log_normal,  ///< the logarithm's deviation is 1: few very short ones, deviation 1.31 means
  fixed,       ///< all as long as the mean
};

std::string_view to_string(outage_law law) noexcept;
std::optional<outage_law> parse_outage_law(std::string_view text) noexcept;

/// Draws the length of an outage, at least one microsecond, the same on every machine.
/// @param mean  positive
duration draw_outage(random_source& random, outage_law law, duration mean) noexcept;

} // namespace storemon::synth
