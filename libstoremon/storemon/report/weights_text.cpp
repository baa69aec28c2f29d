#include "storemon/report/weights_text.hpp"

#include <bit>
#include <charconv>
#include <vector>

namespace storemon::report {

namespace {

/// Of the form of the text.
constexpr std::string_view form = "weights/1";

int64_t count_of(instant at) {
  return at.time_since_epoch().count();
}

/// The next word's number; false where it is none. Takes it off the text.
template <class Number>
bool take(std::string_view& text, Number& number, int base = 10) {
  if (!text.starts_with(' '))
    return false;
  text.remove_prefix(1);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return failed == std::errc();
}

bool take(std::string_view& text, instant& at) {
  int64_t count = 0;
  const bool taken = take(text, count);
  at = instant(duration(count));
  return taken;
}

bool take(std::string_view& text, double& share) {
  uint64_t bits = 0;
  const bool taken = take(text, bits, 16);
  share = std::bit_cast<double>(bits);
  return taken && share > 0 && share <= 1;
}

} // namespace

std::string weights_text(const fleet_weights& weights) {
  std::string text(form);
  const auto add = [&text](auto number, int base = 10) {
    char digits[24];
    text += ' ';
    text.append(digits, std::to_chars(digits, digits + sizeof digits, number, base).ptr);
  };
  add(weights.label.version);
  add(count_of(weights.label.fitted_at.value_or(instant())));
  add(weights.label.stores);
  add(count_of(weights.as_of));
  add(weights.observations);
  add(weights.held);
  for (const auto share : weights.by_class)
    add(std::bit_cast<uint64_t>(share), 16);
  return text;
}

result<fleet_weights> parse_weights(std::string_view text) {
  fleet_weights w;
  instant fitted_at;
  bool sound = text.starts_with(form);
  text.remove_prefix(sound ? form.size() : 0);
  sound = sound && take(text, w.label.version) && take(text, fitted_at) && take(text, w.label.stores) &&
          take(text, w.as_of) && take(text, w.observations) && take(text, w.held);
  w.label.fitted_at = fitted_at;
  for (auto& share : w.by_class)
    sound = sound && take(text, share);
  if (!sound || !text.empty() || w.label.version == 0)
    return error{errc::damaged, "the fleet weights kept are of another form"};
  return w;
}

} // namespace storemon::report
