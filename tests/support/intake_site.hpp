#pragma once

#include "storemon/http/front_end.hpp"
#include "storemon/node/actor_config.hpp"

#include "support/fake_intake.hpp"
#include "support/http_client.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <zlib.h>

namespace storemon::test {

/// A front end whose intake and exporter follow a script.
struct intake_site {
  static http::options limits() {
    http::options o;
    o.port = 0;
    o.drain_timeout = std::chrono::seconds(20);
    return o;
  }

  explicit intake_site(const http::options& o = limits(), bool takes = true) {
    http::services to;
    to.coordinator = system.spawn(fake::coordinator, reports);
    to.supervisor = system.spawn(fake::supervisor, reports);
    if (takes) {
      to.intake = system.spawn(fake::intake, s);
      to.desk = system.spawn(fake::desk, s);
      to.exporter = system.spawn(fake::exporter, s);
    }
    to.durability = "local";
    to.spool_directory = spool.path().string();
    to.knows_zone = [](std::string_view zone) { return zone == "America/Denver"; };
    front = std::make_unique<http::front_end>(system, std::move(to), o);
    if (auto started = front->start(); !started)
      throw std::runtime_error(started.error().detail);
  }

  http_client client(int receive_buffer = 0) { return http_client(front->port(), receive_buffer); }

  size_t spooled() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(spool.path()), {}));
  }

  /// Waits until nothing is left in the spool; false when that does not come.
  bool spool_empties() const {
    for (int i = 0; i < 2000 && spooled() > 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return spooled() == 0;
  }

  std::shared_ptr<script> reports = std::make_shared<script>();
  std::shared_ptr<intake_script> s = std::make_shared<intake_script>();
  scratch_directory spool;
  node::actor_config config{2, false};
  caf::actor_system system{config};
  std::unique_ptr<http::front_end> front;
};

inline boost::json::object json_of(const http_answer& answer) {
  INFO(answer.line << answer.body);
  REQUIRE(answer.field("Content-Type") == "application/json");
  return boost::json::parse(answer.body).as_object();
}

inline std::string text_of(const boost::json::object& o, std::string_view name) {
  INFO(boost::json::serialize(o) << " has " << name);
  REQUIRE(o.contains(name));
  const auto& value = o.at(name);
  return value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
}

inline void check_problem(const http_answer& answer, int status, const std::string& code,
                          const std::string& detail_part) {
  CHECK(answer.status == status);
  const auto body = json_of(answer);
  CHECK(text_of(body, "error") == code);
  CHECK_THAT(text_of(body, "detail"), Catch::Contains(detail_part));
  CHECK(answer.has("Retry-After") == (status == 429 || status == 503 || status == 507));
}

inline std::string gzip(std::string_view plain) {
  z_stream state{};
  if (deflateInit2(&state, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string out(deflateBound(&state, plain.size()) + 64, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  state.avail_in = static_cast<uInt>(plain.size());
  state.next_out = reinterpret_cast<Bytef*>(out.data());
  state.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&state, Z_FINISH);
  out.resize(out.size() - state.avail_out);
  deflateEnd(&state);
  if (status != Z_STREAM_END)
    throw std::runtime_error("deflate");
  return out;
}

} // namespace storemon::test
