#pragma once

#include "storemon/http/api.hpp"
#include "storemon/http/share.hpp"
#include "storemon/http/spool_file.hpp"

#include <memory>
#include <string>

/// Bodies too large to wait for as a whole, from the socket to where they are needed.
namespace storemon::http {

/// How a body is compressed.
enum class body_coding : uint8_t { identity, gzip };

/// The request's Content-Encoding; nothing when it is one that is not understood here.
std::optional<body_coding> coding_of(const request& asked);

/// The refusal of a coding that is not understood.
response unknown_coding();

/// All of a streamed body, decompressed, in memory. Fails with too_large, overloaded where all requests
/// together hold too much, invalid_argument, and with cancelled when the body does not come to its end.
/// @param held  takes what it holds.
boost::asio::awaitable<result<std::shared_ptr<const std::string>>>
receive_text(const api_context& c, const request& asked, body_coding coding, share& held);

/// All of a streamed body, decompressed, in a new file of that name, in bounded memory. Fails as receive_text
/// does, or with io_failed or disk_full; there is no file then.
boost::asio::awaitable<result<std::shared_ptr<spool_file>>>
receive_file(const api_context& c, const request& asked, body_coding coding, std::string path);

} // namespace storemon::http
