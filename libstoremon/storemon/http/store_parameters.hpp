#pragma once

#include "storemon/http/message.hpp"
#include "storemon/model/update.hpp"
#include "storemon/protocol/portrait.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

/// What requests say of one store. Every name has to be known, given once, and of its type.
namespace storemon::http {

/// `{"valid_from": DATE, "hours": [{"day", "start", "end"}]}`; an empty list makes the store open 24x7.
result<hours_rows> read_hours(const request& asked, std::string_view store);

/// `{"timezone": NAME}`.
result<std::string> read_zone(const request& asked);

/// `{"from": INSTANT, "to": INSTANT}`, not empty.
result<interval> read_span_in_body(const request& asked);

/// `?from=INSTANT&to=INSTANT`, not empty.
result<interval> read_span_in_query(const request& asked);

/// `?as_of=INSTANT&from=INSTANT&to=INSTANT`, each of them where it is known, and none needed.
result<protocol::store_question> read_store_question(const request& asked,
                                                     std::initializer_list<std::string_view> known);

} // namespace storemon::http
