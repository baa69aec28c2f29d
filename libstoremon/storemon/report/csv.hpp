#pragma once

#include "storemon/estimate/estimator.hpp"
#include "storemon/model/report.hpp"

#include <memory>
#include <span>
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
/// trailing zeros cut. Columns `full`: seconds with exactly six decimals; of an estimator that weighs
/// behaviours also the bounds of uptime, what share of the opening time observations reach, and the
/// probability to be active at as_of (empty for a store that is closed or never was observed). Unless
/// `raw_ids`, an id that begins with one of
/// `= + - @ TAB CR` gets a leading `'`, for a spreadsheet would run it as a formula (CWE-1236).
///
/// Immutable once made: several threads may write a piece each, and share what costs most so.
class csv_text {
public:
  /// @param spec    of this request; its estimator exists
  /// @param pieces  > 0; into how many about equal ones the text is cut
  csv_text(report_request request, report_spec spec, report_parts parts, size_t pieces);

  /// As many as were asked for; some may be empty.
  size_t pieces() const noexcept { return begins_.size() - 1; }

  /// One of the pieces; together, in order, they are the text.
  std::string piece(size_t number) const;

private:
  /// One row of the report: where its store stands.
  struct row_place {
    uint64_t prefix = 0; ///< first eight bytes of the id, so that most comparisons touch nothing else
    uint32_t part = 0;
    uint32_t index = 0;
  };

  bool before(const row_place& a, const row_place& b) const noexcept;
  std::vector<row_place> all_rows() const;
  void cut(std::span<const row_place> rows, size_t pieces);
  void prefetch(const row_place& row) const noexcept;
  void append_header(std::string& out) const;
  void append_full_row(std::string& out, const row_place& row, const std::vector<figures>& of_windows,
                       std::string_view about_report) const;

  report_request request_;
  report_spec spec_;
  const estimate::estimator& estimator_;
  report_parts parts_;
  std::vector<fleet_counts> fleet_; // by window
  std::vector<row_place> rows_;     // piece after piece, in no order within a piece
  std::vector<size_t> begins_;      // of each piece in rows_, and the end of the last
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
