#include "storemon/report/report_book.hpp"

#include <algorithm>
#include <cstdio>

namespace storemon::report {

using namespace protocol;

report_status& report_book::open(report_status status) {
  ++running_;
  auto id = status.id;
  return reports_.insert_or_assign(std::move(id), std::move(status)).first->second;
}

report_status* report_book::find(const std::string& id) {
  const auto found = reports_.find(id);
  return found == reports_.end() ? nullptr : &found->second;
}

void report_book::close(const std::string& id, report_state state, instant now) {
  auto& status = reports_.at(id);
  status.state = state;
  status.finished = now;
  --running_;
  finished_.push_back(id);
  kept_bytes_ += status.file ? status.file->bytes.size() : 0;
  while (finished_.size() > 1 &&
         (finished_.size() > limits_.reports_max || kept_bytes_ > limits_.bytes_max)) {
    const auto oldest = reports_.find(finished_.front());
    kept_bytes_ -= oldest->second.file ? oldest->second.file->bytes.size() : 0;
    reports_.erase(oldest);
    finished_.pop_front();
  }
}

std::string report_book::free_file_name(instant now) const {
  using namespace std::chrono;
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const hh_mm_ss time(floor<seconds>(now - day));
  char stem[64];
  std::snprintf(stem, sizeof stem, "store_report_%04d%02u%02u_%02d%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  auto name = std::string(stem) + ".csv";
  for (int again = 2; find_file(name); ++again)
    name = std::string(stem) + "_" + std::to_string(again) + ".csv";
  return name;
}

std::shared_ptr<const report_file> report_book::find_file(std::string_view name) const {
  for (const auto& [id, status] : reports_)
    if (status.file && status.file->name == name)
      return status.file;
  return nullptr;
}

std::vector<report_status> report_book::list() const {
  std::vector<report_status> all;
  all.reserve(reports_.size());
  for (const auto& [id, status] : reports_)
    all.push_back(status);
  std::sort(all.begin(), all.end(), [](const report_status& a, const report_status& b) {
    return a.created != b.created ? a.created > b.created : a.id < b.id;
  });
  return all;
}

} // namespace storemon::report
