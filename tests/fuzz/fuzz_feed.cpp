/// Feeds, any bytes: the first byte chooses the feed, the second how many of the following say where reads
/// end, the rest is the text after the header. Read in pieces, whole, and by the naive reader it is the same.
#include "fuzz.hpp"
#include "support/naive_csv.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using storemon::fuzz::require;

naive::outcome read_whole(const storemon::ingest::layout& where, std::string_view text) {
  feed_reading all(where, 0);
  all.take(text);
  auto outcome = all.finish();
  require(all.batches.sound);
  return outcome;
}

/// As chunk_reader does: what is left of a read by the whole records goes with the next one.
naive::outcome read_in_pieces(const storemon::ingest::layout& where, std::string_view text,
                              std::string_view cuts) {
  feed_reading all(where, 0);
  std::string carried;
  do {
    size_t size = text.size();
    if (!cuts.empty()) {
      size = std::min<size_t>(size, static_cast<unsigned char>(cuts.front()));
      cuts.remove_prefix(1);
    }
    carried.append(text.substr(0, size));
    text.remove_prefix(size);
    const auto whole = storemon::ingest::whole_records(carried, text.empty());
    all.take(std::string_view(carried).substr(0, whole));
    carried.erase(0, whole);
  } while (!text.empty());
  require(carried.empty());
  auto outcome = all.finish();
  require(all.batches.sound);
  return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2)
    return 0;
  const storemon::ingest::layout* layouts[] = {&status_layout,   &hours_layout,       &zones_layout,
                                               &closures_layout, &corrections_layout, &stores_layout};
  const auto& where = *layouts[data[0] % std::size(layouts)];
  const std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
  const auto cuts = input.substr(0, data[1] % 16);
  const auto text = input.substr(cuts.size());
  const auto whole = read_whole(where, text);
  require(whole == naive::parse(where, text));
  require(whole == read_in_pieces(where, text, cuts));
  return 0;
}
