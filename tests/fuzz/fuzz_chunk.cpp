/// Chunks of snapshots: see payload.hpp. What can be decoded means the same when it is encoded again.
#include "fuzz.hpp"
#include "payload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace storemon;
  using fuzz::require;
  if (size < fuzz::payload_header)
    return 0;
  static journal::codec coder;
  auto names = fuzz::payload_names(data);
  const auto read = coder.decode(fuzz::payload_row<journal::chunk_row>(data, size), names);
  if (!read) {
    require(read.error().code == errc::damaged);
    return 0;
  }
  const auto written = coder.encode(*read, names);
  require(written.has_value());
  require(names.size() == data[3]); // nobody new
  const auto again = coder.decode(*written, names);
  require(again && fuzz::same(*again, *read));
  require(coder.encode(*again, names).value() == *written);
  return 0;
}
