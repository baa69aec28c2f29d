#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/fleet_weights.hpp"

#include <string>
#include <string_view>

namespace storemon::report {

/// Fleet weights as the journal keeps them: words apart by spaces, the weights by their bits.
std::string weights_text(const fleet_weights& weights);

/// What weights_text wrote; damaged where it is anything else.
result<fleet_weights> parse_weights(std::string_view text);

} // namespace storemon::report
