#include "storemon/http/front_end.hpp"

namespace storemon::http {

front_end::front_end(caf::actor_system& system, services to, const options& limits)
    : limits_(limits),
      server_(limits_, {[this](const request& asked) { return routes_.dispatch(asked); },
                        [this](const request& asked) {
                          return routes_.rule_for(asked).value_or(body_rule{limits_.body_bytes_max, false});
                        }}),
      gateway_(system, server_.executor()), context_{gateway_, files_, std::move(to), limits_},
      routes_(make_routes(context_)) {}

front_end::~front_end() {
  stop();
}

void front_end::stop() {
  server_.drain();
  gateway_.stop();
  server_.close();
  context_.to = {};
}

} // namespace storemon::http
