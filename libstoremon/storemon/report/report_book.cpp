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

std::vector<std::string> report_book::close(report_status finished) {
  const auto id = finished.id;
  if (finished.state == report_state::complete)
    names_[finished.file_name] = id;
  else
    std::erase_if(names_, [&](const auto& name) { return name.second == id; });
  kept_bytes_ += finished.file_bytes;
  if (!reports_.insert_or_assign(id, std::move(finished)).second)
    --running_;
  finished_.push_back(id);
  std::vector<std::string> gone;
  while (finished_.size() > 1 &&
         (finished_.size() > limits_.reports_max || kept_bytes_ > limits_.bytes_max)) {
    const auto oldest = reports_.find(finished_.front());
    kept_bytes_ -= oldest->second.file_bytes;
    names_.erase(oldest->second.file_name);
    reports_.erase(oldest);
    gone.push_back(std::move(finished_.front()));
    finished_.pop_front();
  }
  return gone;
}

std::string report_book::name_file(const std::string& id, instant now) {
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
  for (int again = 2; !names_.emplace(name, id).second; ++again)
    name = std::string(stem) + "_" + std::to_string(again) + ".csv";
  return name;
}

const report_status* report_book::find_file(const std::string& name) const {
  const auto named = names_.find(name);
  if (named == names_.end())
    return nullptr;
  const auto& status = reports_.at(named->second);
  return status.state == report_state::complete ? &status : nullptr;
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
