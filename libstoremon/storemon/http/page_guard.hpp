#pragma once

#include "storemon/http/options.hpp"
#include "storemon/http/router.hpp"

#include <optional>

namespace storemon::http {

/// Keeps pages of other servers from using a browser of this network to change something here. A browser
/// tells whose page asks (`Origin`, `Sec-Fetch-Site`, `Referer`); other clients tell nothing, and pass.
///
/// A request with an effect is refused with 403 `foreign_host` when its `Host` is neither a loopback name,
/// nor options::address (any IP address where that is unspecified), nor listed in options::allowed_hosts: a
/// name made to point here is how a foreign page becomes one of ours. With 403 `foreign_origin` when a page
/// of another origin asks which options::allowed_origins does not list. With 415 when it has a body that is
/// not JSON by its Content-Type; none is taken for JSON, and so is the one curl gives by itself where no page
/// asks.
/// @param streamed  the handler judges the Content-Type.
std::optional<response> refuse_foreign(const request& asked, effect does, bool streamed,
                                       const options& limits);

} // namespace storemon::http
