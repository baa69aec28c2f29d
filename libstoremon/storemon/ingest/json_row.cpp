#include "storemon/ingest/json_row.hpp"

#include "storemon/model/store_id.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <string>

namespace storemon::ingest {

namespace {

constexpr std::array<std::string_view, 3> field_names{"store_id", "status", "timestamp_utc"};

/// No longer text has a meaning, so of longer ones only this much is kept.
constexpr size_t text_bytes_max = store_id_bytes_max + 1;

/// Takes what Boost's parser finds in one value.
class handler {
public:
  static constexpr size_t max_object_size = std::string_view::npos;
  static constexpr size_t max_array_size = std::string_view::npos;
  static constexpr size_t max_key_size = std::string_view::npos;
  static constexpr size_t max_string_size = std::string_view::npos;

  using error_code = boost::json::error_code;
  using text = boost::json::string_view;

  explicit handler(std::string_view all) : all_(all) {}

  void begin(json_row& row) {
    row_ = &row;
    depth_ = 0;
    field_ = none;
    given_ = 0;
    parts_.clear();
  }

  bool on_document_begin(error_code&) { return true; }

  bool on_document_end(error_code&) {
    constexpr unsigned all_given = 0b111;
    if (!row_->why && given_ != all_given)
      row_->why = reject_reason::too_few_fields;
    return true;
  }

  bool on_object_begin(error_code&) {
    ++depth_;
    return true;
  }

  bool on_object_end(size_t, error_code&) {
    --depth_;
    return true;
  }

  bool on_array_begin(error_code&) {
    not_an_object();
    ++depth_;
    return true;
  }

  bool on_array_end(size_t, error_code&) {
    --depth_;
    return true;
  }

  bool on_key_part(text part, size_t, error_code&) { return add_part(part); }

  bool on_key(text last, size_t, error_code&) {
    const auto key = whole(last);
    if (depth_ == 1)
      begin_field(key);
    parts_.clear();
    return true;
  }

  bool on_string_part(text part, size_t, error_code&) { return add_part(part); }

  bool on_string(text last, size_t, error_code&) {
    if (takes_value())
      row_->fields[field_] = lasting(whole(last));
    parts_.clear();
    return true;
  }

  bool on_number_part(text part, error_code&) { return add_part(part); }

  bool on_int64(int64_t, text last, error_code&) { return on_number(last); }

  bool on_uint64(uint64_t, text last, error_code&) { return on_number(last); }

  bool on_double(double, text last, error_code&) { return on_number(last); }

  bool on_bool(bool, error_code&) {
    not_an_object();
    return true;
  }

  bool on_null(error_code&) {
    not_an_object();
    return true;
  }

  bool on_comment_part(text, error_code&) { return true; }

  bool on_comment(text, error_code&) { return true; }

private:
  static constexpr size_t none = field_names.size();

  void reject(reject_reason why) {
    if (!row_->why)
      row_->why = why;
  }

  /// What stands for itself, outside any object, is not what is wanted.
  void not_an_object() {
    if (depth_ == 0)
      reject(reject_reason::not_an_object);
  }

  void begin_field(std::string_view key) {
    field_ =
        static_cast<size_t>(std::find(field_names.begin(), field_names.end(), key) - field_names.begin());
    if (field_ == none) {
      reject(reject_reason::unknown_field);
      return;
    }
    const auto bit = 1u << field_;
    if ((given_ & bit) != 0)
      reject(reject_reason::repeated_field);
    given_ |= bit;
  }

  /// Whether a value here is that of one of the fields; the value of a field itself, not one within it.
  bool takes_value() {
    not_an_object();
    return depth_ == 1 && field_ != none;
  }

  bool on_number(text last) {
    // Only ids may be numbers, and only whole ones: the digits are the id.
    const auto digits = whole(last);
    const auto unsigned_digits = digits.substr(digits.starts_with('-'));
    if (takes_value() && field_ == 0 &&
        std::all_of(unsigned_digits.begin(), unsigned_digits.end(),
                    [](char c) { return c >= '0' && c <= '9'; }))
      row_->fields[field_] = lasting(digits);
    parts_.clear();
    return true;
  }

  bool add_part(text part) {
    parts_.append(part.data(),
                  std::min(part.size(), text_bytes_max - std::min(parts_.size(), text_bytes_max)));
    return true;
  }

  /// The text whose last part this is.
  std::string_view whole(text last) {
    if (parts_.empty())
      return {last.data(), last.size()};
    add_part(last);
    return parts_;
  }

  /// The same text, where it stays.
  std::string_view lasting(std::string_view value) {
    const std::less_equal<> before;
    if (before(all_.data(), value.data()) && before(value.data() + value.size(), all_.data() + all_.size()))
      return value;
    return kept_.emplace_back(value.substr(0, text_bytes_max));
  }

  std::string_view all_;
  json_row* row_ = nullptr;
  size_t depth_ = 0;
  size_t field_ = none;
  unsigned given_ = 0; // a bit for each field
  std::string parts_;  // of a key or value that comes in several
  std::deque<std::string> kept_;
};

} // namespace

struct json_row_reader::parser : boost::json::basic_parser<handler> {
  explicit parser(std::string_view all) : basic_parser(boost::json::parse_options(), all) {}
};

json_row_reader::json_row_reader(std::string_view text)
    : text_(text), parser_(std::make_unique<parser>(text)) {}

json_row_reader::~json_row_reader() = default;

bool json_row_reader::read(size_t from, size_t to, json_row& row) {
  row = {};
  parser_->reset();
  parser_->handler().begin(row);
  failure_ = {};
  row.bytes = parser_->write_some(false, text_.data() + from, to - from, failure_);
  return !failure_;
}

} // namespace storemon::ingest
