/// Feeds one stream of bytes to request_reader whole and in slices of sizes that the input itself gives: both
/// have to see the same requests.
#include "storemon/http/request_reader.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace storemon::http;
using phase = request_reader::phase;

/// Requests whose path begins with `/s` have streamed bodies.
body_rule rule_for(const request& asked) {
  return {64, asked.path.starts_with("/s")};
}

/// What the bytes hold: each request with its body, then how they end.
std::string read_all(std::string_view bytes, std::string_view cuts) {
  options limits;
  limits.header_bytes_max = 256;
  limits.header_fields_max = 8;
  std::string seen;
  std::string buffer;
  const auto feed = [&] {
    size_t size = bytes.size();
    if (!cuts.empty()) {
      size = std::min<size_t>(size, static_cast<unsigned char>(cuts.front()) % 32 + 1);
      cuts.remove_prefix(1);
    }
    buffer.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
  };
  for (;;) {
    request_reader reader(limits, rule_for);
    std::string body;
    std::string slice;
    auto at = reader.read(buffer);
    for (;; at = reader.read(buffer)) {
      if (reader.streamed() && at != phase::head) {
        reader.take_slice(slice);
        body += slice;
      }
      if (at == phase::done || at == phase::refused)
        break;
      if (bytes.empty())
        return seen + (at == phase::head ? "|head" : "|body");
      feed();
    }
    if (at == phase::refused)
      return seen + "|" + std::to_string(reader.refusal().status);
    const auto streamed = reader.streamed();
    const auto got = reader.take();
    seen += "|" + got.method + " " + got.path + " " + (streamed ? body : got.body);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cuts = input.substr(0, input.size() / 4);
  const auto bytes = input.substr(cuts.size());
  storemon::fuzz::require(read_all(bytes, cuts) == read_all(bytes, {}));
  return 0;
}
