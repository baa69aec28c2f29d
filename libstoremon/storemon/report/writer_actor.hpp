#pragma once

#include "storemon/protocol/actors.hpp"
#include "storemon/report/csv.hpp"

#include <memory>
#include <string>

namespace storemon::report {

/// A report's text.
struct written_report {
  std::shared_ptr<protocol::report_file> file; ///< not named yet
  std::shared_ptr<const std::string> frames;   ///< the text as the journal keeps it; null where not asked for
};

} // namespace storemon::report

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const storemon::report::written_report>)

namespace storemon::report {

/// Who is told that the text of the report of that id is written.
using written_listener =
    caf::typed_actor<caf::reacts_to<protocol::done_atom, std::string, std::shared_ptr<const written_report>>>;

/// A text to be written.
struct writing_order {
  std::string id;
  report_request request;
  protocol::shared_spec spec;
  report_parts parts;
  size_t stores = 0;   ///< in the parts
  size_t writers = 1;  ///< > 0; actors that write at once
  bool frames = false; ///< whether the journal will want it
};

/// Has actors of their own write the text, so that other messages get their turn meanwhile.
void write_report(caf::local_actor& parent, writing_order order, const written_listener& listener);

} // namespace storemon::report
