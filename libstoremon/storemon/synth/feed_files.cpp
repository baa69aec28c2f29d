#include "storemon/synth/feed_files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace storemon::synth {

namespace {

/// A text file written through one large buffer.
class text_file {
public:
  explicit text_file(std::filesystem::path name)
      : name_(std::move(name)), out_(name_, std::ios::binary | std::ios::trunc) {
    note_failure();
    buffer_.reserve(buffer_bytes + row_bytes_max);
  }

  void put(std::string_view text) { buffer_.append(text); }

  void put_number(int64_t value, int digits) {
    char text[20];
    for (int i = digits; i-- > 0; value /= 10)
      text[i] = static_cast<char>('0' + value % 10);
    buffer_.append(text, static_cast<size_t>(digits));
  }

  /// `2023-01-22 12:09:39.388884 UTC`, the fraction without its trailing zeros, nothing when it is zero.
  void put_instant(instant at) {
    using namespace std::chrono;
    const auto day = floor<days>(at);
    const year_month_day date(day);
    put_number(static_cast<int>(date.year()), 4);
    put("-");
    put_number(static_cast<unsigned>(date.month()), 2);
    put("-");
    put_number(static_cast<unsigned>(date.day()), 2);
    put(" ");
    put_time_of_day(at - day);
    if (auto fraction = (at - floor<seconds>(at)).count(); fraction > 0) {
      int digits = 6;
      for (; fraction % 10 == 0; fraction /= 10)
        --digits;
      put(".");
      put_number(fraction, digits);
    }
    put(" UTC");
  }

  void put_time_of_day(duration since_midnight) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_midnight).count();
    put_number(seconds / 3600, 2);
    put(":");
    put_number(seconds / 60 % 60, 2);
    put(":");
    put_number(seconds % 60, 2);
  }

  void end_row() {
    buffer_ += '\n';
    if (buffer_.size() >= buffer_bytes)
      flush();
  }

  result<void> close() {
    flush();
    out_.close();
    note_failure();
    if (!failure_.empty())
      return error{errc::io_failed, name_.string() + " cannot be written: " + failure_};
    return {};
  }

private:
  static constexpr size_t buffer_bytes = 1 << 20;
  static constexpr size_t row_bytes_max = 256;

  void flush() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    buffer_.clear();
    note_failure();
  }

  void note_failure() {
    if (!out_ && failure_.empty())
      failure_ = std::strerror(errno);
  }

  std::filesystem::path name_;
  std::ofstream out_;
  std::string buffer_;
  std::string failure_; ///< the first one
};

result<void> write_status(const fleet& from, const std::filesystem::path& name) {
  text_file file(name);
  file.put("store_id,status,timestamp_utc");
  file.end_row();
  for (const auto& poll : from.polls) {
    file.put(from.ids[poll.store()]);
    file.put(poll.active() ? ",active," : ",inactive,");
    file.put_instant(from.at(poll));
    file.end_row();
  }
  return file.close();
}

result<void> write_hours(const fleet& from, const std::filesystem::path& name) {
  text_file file(name);
  file.put("store_id,day,start_time_local,end_time_local");
  file.end_row();
  for (const auto& [store, row] : from.hours) {
    file.put(from.ids[store]);
    file.put(",");
    file.put_number(row.day, 1);
    file.put(",");
    file.put_time_of_day(row.start);
    file.put(",");
    file.put_time_of_day(row.end);
    file.end_row();
  }
  return file.close();
}

result<void> write_zones(const fleet& from, const std::filesystem::path& name) {
  text_file file(name);
  file.put("store_id,timezone_str");
  file.end_row();
  for (const auto& [store, zone] : from.zones) {
    file.put(from.ids[store]);
    file.put(",");
    file.put(zone);
    file.end_row();
  }
  return file.close();
}

} // namespace

result<void> write_feeds(const fleet& from, const std::filesystem::path& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure)
    return error{errc::io_failed, directory.string() + " cannot be made: " + failure.message()};
  if (auto done = write_status(from, directory / "store_status.csv"); !done)
    return done;
  if (auto done = write_hours(from, directory / "menu_hours.csv"); !done)
    return done;
  return write_zones(from, directory / "timezones.csv");
}

result<void> write_truth(const fleet& from, const std::filesystem::path& name) {
  text_file file(name);
  file.put("store_id,from_utc,to_utc");
  file.end_row();
  for (const auto& [store, active] : from.truth) {
    file.put(from.ids[store]);
    file.put(",");
    file.put_instant(active.from);
    file.put(",");
    file.put_instant(active.to);
    file.end_row();
  }
  return file.close();
}

} // namespace storemon::synth
