#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace storemon {

/// A UUID of version 4 (RFC 9562) in lower case, from the system's random numbers.
std::string random_uuid();

/// A UUID of any version in lower case; nothing when the text is none.
std::optional<std::string> parse_uuid(std::string_view text);

} // namespace storemon
