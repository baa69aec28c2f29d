#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace storemon::http {

/// Makes one gzip member (RFC 1952), piece by piece, in bounded memory.
class gzip_stream {
public:
  gzip_stream();
  ~gzip_stream();
  gzip_stream(const gzip_stream&) = delete;
  gzip_stream& operator=(const gzip_stream&) = delete;

  /// Takes the next piece and appends what is ready to `out`, which may be nothing yet.
  /// @param last  whether it is the last piece; none may follow.
  void add(std::string_view piece, bool last, std::string& out);

private:
  std::unique_ptr<z_stream_s> state_;
};

} // namespace storemon::http
