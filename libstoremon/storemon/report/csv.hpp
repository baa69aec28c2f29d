#pragma once

#include "storemon/model/report.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::report {

/// Slices of all partitions, in any order.
using report_parts = std::vector<std::shared_ptr<const report_columns>>;

/// The text of a report: sums the fleet over all parts, settles every measure with it, and writes the rows in
/// byte order of store id; LF line ends, RFC 4180 quoting. The same parts in any order and any cut give the
/// same bytes.
///
/// Columns `loop`: minutes for the hour, hours for day and week, at most two decimals, rounded half to even,
/// trailing zeros cut. Columns `full`: seconds with exactly six decimals. Unless `raw_ids`, an id that begins
/// with one of
/// `= + - @ TAB CR` gets a leading `'`, for a spreadsheet would run it as a formula (CWE-1236).
///
/// Immutable once made: several threads may write a piece each.
class csv_text {
public:
  /// @param spec  of this request; its estimator exists
  csv_text(report_request request, report_spec spec, report_parts parts);

  /// The piece `number` of `pieces` about equal ones; together, in order, they are the text.
  std::string piece(size_t number, size_t pieces) const;

private:
  /// One row of the report: where its store stands.
  struct row_place {
    uint64_t prefix = 0; ///< first eight bytes of the id, so that most comparisons touch nothing else
    uint32_t part = 0;
    uint32_t index = 0;
  };

  void put_in_order();
  void append_header(std::string& out) const;

  report_request request_;
  report_spec spec_;
  report_parts parts_;
  std::vector<fleet_counts> fleet_; // by window
  std::vector<row_place> rows_;     // in byte order of store id
};

/// The whole text at once.
std::string write_csv(const report_request& request, const report_spec& spec, const report_parts& parts);

/// Appends a length in units of `unit_us`, with at most two decimals, half to even, trailing zeros cut.
void append_rounded(std::string& out, int64_t us, int64_t unit_us);

/// Appends a length in seconds with exactly six decimals.
void append_seconds(std::string& out, int64_t us);

/// Appends a text as one CSV field.
void append_field(std::string& out, std::string_view text);

} // namespace storemon::report
