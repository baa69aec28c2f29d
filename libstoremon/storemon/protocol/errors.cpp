#include "storemon/protocol/errors.hpp"

#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

#include <string>

namespace storemon::protocol {

namespace {

constexpr auto category = caf::atom("storemon");

} // namespace

caf::error to_caf(const error& e) {
  return {static_cast<uint8_t>(e.code), category, caf::make_message(e.detail)};
}

error from_caf(const caf::error& e) {
  if (!e)
    return {errc::ok, ""};
  if (e.category() == category) {
    const auto& context = e.context();
    return {static_cast<errc>(e.code()),
            context.match_elements<std::string>() ? context.get_as<std::string>(0) : std::string()};
  }
  if (e == caf::sec::request_receiver_down || e == caf::exit_reason::remote_link_unreachable)
    return {errc::partition_lost, "the receiving actor is gone"};
  if (e == caf::exit_reason::user_shutdown)
    return {errc::shutting_down, "the server is being stopped"};
  return {errc::internal, "actor failure " + caf::to_string(e.category()) + " " + std::to_string(e.code())};
}

} // namespace storemon::protocol
