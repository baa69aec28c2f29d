#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace storemon::http {

/// Where the front end listens and what it grants its clients.
struct options {
  /// The address of the one interface to listen on; loopback unless the operator says otherwise.
  std::string address = "127.0.0.1";

  /// The port; 0 takes a free one, which front_end::port() then tells.
  uint16_t port = 8080;

  /// Names by which clients may call this server in a request with an effect, besides loopback names and
  /// `address`. Without ports. Another is 403.
  std::vector<std::string> allowed_hosts{};

  /// Origins (`https://host:port`) whose pages may send requests with an effect, besides our own. Another is
  /// 403.
  std::vector<std::string> allowed_origins{};

  /// Connections served at once: bounds memory and descriptors. One more is answered 503 and closed.
  size_t connections_max = 1000;

  /// Connections being told 503 at once; with so many of them, accepting pauses and the kernel's queue fills.
  size_t refusals_max = 64;

  /// Bytes of the request line and all fields: bounds what a stranger makes us hold. More is 431.
  size_t header_bytes_max = 8 * 1024;

  /// Fields of a request: bounds the work of looking one up. More is 431.
  size_t header_fields_max = 64;

  /// Bytes of a request's body, after removing its chunking, where the route has no limit of its own:
  /// parameters are small. More is 413.
  size_t body_bytes_max = 64 * 1024;

  /// Bytes of the observations of one request, as they come and once decompressed: what the intake reads in
  /// one go. More is 413.
  size_t ingest_bytes_max = 64 * 1024 * 1024;

  /// Bytes of observations of all requests held at once, from a body's first byte to its answer: bounds
  /// memory. More is 429.
  size_t ingest_held_bytes_max = 256 * 1024 * 1024;

  /// Bytes of a file to be imported, as they come and once decompressed: bounds the spool. More is 413.
  uint64_t import_bytes_max = uint64_t{16} * 1024 * 1024 * 1024;

  /// Files being received at once: bounds the spool, too. One more is 503.
  size_t uploads_max = 4;

  /// How many bytes one byte of gzip may become: more than any feed reaches, so it is a bomb. Over is 413.
  size_t gzip_ratio_max = 200;

  /// From a request's first byte to the end of its fields: no connection is held by trickling bytes. Over is
  /// 408.
  std::chrono::milliseconds header_timeout = std::chrono::seconds(5);

  /// From the end of the fields to the end of the body, however many pieces it comes in; of large bodies the
  /// longest silence. Over is 408.
  std::chrono::milliseconds body_timeout = std::chrono::seconds(30);

  /// Bytes a second that a large body has to come with on average, past the first body_timeout: silence
  /// broken now and then holds no memory and no file. Less is 408.
  size_t body_rate_min = 1024;

  /// How long a connection may say nothing between requests, or before the first; it is then closed silently.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(30);

  /// For each slice of an answer: a client that takes none of it for so long is cut off.
  std::chrono::milliseconds write_timeout = std::chrono::seconds(30);

  /// After the last answer on a connection its unread input is taken and dropped for so long at most, so that
  /// the client gets to read the answer before the reset that unread input would cause.
  std::chrono::milliseconds linger_timeout = std::chrono::seconds(2);

  /// As linger_timeout, in bytes: as much as a client may be sending when its observations are refused.
  size_t linger_bytes_max = 64 * 1024 * 1024;

  /// An actor's answer: a client gets an answer even when an actor is stuck. Over is 503.
  std::chrono::milliseconds ask_timeout = std::chrono::seconds(10);

  /// The supervisor's answer for /healthz and /readyz, whose callers give up soon themselves.
  std::chrono::milliseconds health_timeout = std::chrono::seconds(1);

  /// How long they wait for the journal, which may be at something long while all else goes well: short, for
  /// who probes waits no second.
  std::chrono::milliseconds journal_health_timeout = std::chrono::milliseconds(250);

  /// The intake's answer to observations and changes: what is not durable by then is to be sent again. Over
  /// is 503.
  std::chrono::milliseconds intake_timeout = std::chrono::seconds(10);

  /// A whole import.
  std::chrono::milliseconds import_timeout = std::chrono::hours(1);

  /// At stop: how long requests under way may take to be answered.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(5);
};

} // namespace storemon::http
