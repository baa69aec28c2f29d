#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// The parts of HTTP in which client and server agree on a form (RFC 9110 sections 12 to 14).
namespace storemon::http {

/// Whether the client would rather have `text/csv` than `application/json`. JSON wins a tie, unless CSV is
/// named more exactly (`text/csv, */*`).
bool prefers_csv(std::string_view accept) noexcept;

/// Whether an `Accept-Encoding` field asks for gzip.
bool accepts_gzip(std::string_view accept_encoding) noexcept;

/// The media type of a `Content-Type` field, in lower case, without its parameters.
std::string media_type(std::string_view content_type);

/// Whether a `Prefer` field (RFC 7240) asks not to wait.
bool prefers_async(std::string_view prefer) noexcept;

/// Whether a list of entity tags (`If-None-Match`) has `tag`, compared weakly, or is `*`.
bool lists_tag(std::string_view list, std::string_view tag) noexcept;

/// Bytes `[offset, offset + length)` of a representation; an empty one means that none of it was asked for.
struct byte_range {
  size_t offset = 0;
  size_t length = 0;

  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// The one range a `Range` field asks for of `size` bytes. Nothing when it is to be ignored: malformed, of
/// another unit, or more than one range.
std::optional<byte_range> parse_range(std::string_view range, size_t size) noexcept;

} // namespace storemon::http
