/// Updates as bytes: everything comes back, what is damaged does not, and the bytes are what codec.hpp and
/// update_bytes.cpp say, by an encoder that was written for this test in the plainest way.
#include "storemon/journal/codec.hpp"
#include "storemon/journal/crc32c.hpp"
#include "support/journal_entries.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>
#include <zstd.h>

#include <set>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

/// The plain form, from the description.
class plain_form {
public:
  explicit plain_form(store_names& names) : names_(names) {}

  std::string of(const journal_entry& e) {
    if (e.mark == batch_mark{})
      byte(0);
    else {
      byte(1);
      mark(e.mark);
    }
    of(e.change);
    return bytes_;
  }

private:
  void byte(int b) { bytes_ += static_cast<char>(b); }

  void varint(uint64_t n) {
    while (n > 127) {
      byte(static_cast<int>(n % 128 + 128));
      n /= 128;
    }
    byte(static_cast<int>(n));
  }

  void number(int64_t n) {
    varint(n >= 0 ? 2 * static_cast<uint64_t>(n) : 2 * ~static_cast<uint64_t>(n) + 1);
  }

  void mark(const batch_mark& m) {
    for (auto word : {m.key[0], m.key[1], m.body[0], m.body[1]})
      for (int i = 0; i < 8; ++i, word /= 256)
        byte(static_cast<int>(word % 256));
  }

  void of(const update& change) {
    if (const auto* o = std::get_if<observation_rows>(&change)) {
      std::map<uint32_t, std::multiset<int64_t>> by_store;
      for (size_t i = 0; i < o->stores.size(); ++i)
        by_store[names_.index_of(o->stores[i])];
      for (size_t i = 0; i < o->seen.size(); ++i)
        by_store[names_.index_of(o->stores[o->store[i]])].insert(o->seen[i].bits());
      byte(static_cast<int>(o->rule));
      varint(by_store.size());
      uint32_t index_before = 0;
      uint64_t first_before = 0;
      for (const auto& [index, rows] : by_store) {
        varint(index - index_before);
        varint(rows.size());
        index_before = index;
        uint64_t before = first_before;
        for (auto it = rows.begin(); it != rows.end(); ++it) {
          const auto distance = static_cast<uint64_t>(*it) - before;
          if (it == rows.begin()) {
            number(static_cast<int64_t>(distance));
            first_before = static_cast<uint64_t>(*it);
          } else
            varint(distance);
          before = static_cast<uint64_t>(*it);
        }
      }
    } else if (const auto* h = std::get_if<hours_rows>(&change)) {
      std::map<uint32_t, std::vector<hours_row>> by_store;
      for (size_t i = 0; i < h->stores.size(); ++i)
        by_store[names_.index_of(h->stores[i])];
      for (size_t i = 0; i < h->rows.size(); ++i)
        by_store[names_.index_of(h->stores[h->store[i]])].push_back(h->rows[i]);
      number(h->valid_from.time_since_epoch().count());
      varint(by_store.size());
      uint32_t index_before = 0;
      for (const auto& [index, rows] : by_store) {
        varint(index - index_before);
        varint(rows.size());
        index_before = index;
        for (const auto& row : rows) {
          byte(row.day);
          number(row.start.count());
          number(row.end.count());
        }
      }
    } else if (const auto* z = std::get_if<zone_rows>(&change)) {
      varint(z->stores.size());
      for (size_t i = 0; i < z->stores.size(); ++i) {
        varint(names_.index_of(z->stores[i]));
        varint(z->zones[i].size());
        bytes_ += z->zones[i];
      }
    } else if (const auto* c = std::get_if<closure_change>(&change)) {
      varint(names_.index_of(c->store));
      number(c->span.from.time_since_epoch().count());
      number(c->span.to.time_since_epoch().count());
      byte(c->withdrawn);
    } else if (const auto* d = std::get_if<store_deletion>(&change))
      varint(names_.index_of(d->store));
    else {
      const auto& batches = std::get<batch_memory>(change).batches;
      varint(batches.size());
      for (const auto& b : batches) {
        byte(b.mark == batch_mark{} ? 0 : 1);
        if (b.mark != batch_mark{})
          mark(b.mark);
        for (const auto n : {int64_t{b.written.time_since_epoch().count()}, b.done.accepted,
                             b.done.duplicates, b.done.conflicts})
          number(n);
      }
    }
  }

  store_names& names_;
  std::string bytes_;
};

std::string unpacked(const record& r) {
  if (r.codec == static_cast<uint8_t>(coding::plain))
    return r.payload;
  std::string plain(ZSTD_getFrameContentSize(r.payload.data(), r.payload.size()), '\0');
  const auto size = ZSTD_decompress(plain.data(), plain.size(), r.payload.data(), r.payload.size());
  REQUIRE(size == plain.size());
  return plain;
}

} // namespace

TEST_CASE("entries come back as they were, however large") {
  random_source random(1, 1);
  codec coder;
  store_names names;
  std::set<uint8_t> kinds;
  std::set<uint8_t> codecs;
  for (int i = 0; i < 1500; ++i) {
    const auto entry = random_entry(random);
    const auto r = coder.encode(entry, names);
    REQUIRE(r);
    const auto back = coder.decode(*r, names);
    REQUIRE(back);
    CHECK(back->mark == entry.mark);
    CHECK(back->written == entry.written);
    REQUIRE(equivalent(back->change, entry.change));
    const auto again = coder.encode(*back, names);
    REQUIRE(again);
    CHECK(again->payload == r->payload);
    kinds.insert(r->kind);
    codecs.insert(r->codec);
  }
  CHECK(kinds.size() == std::variant_size_v<update>);
  CHECK(codecs.size() == 2);
}

TEST_CASE("the bytes are those that are described") {
  random_source random(2, 1);
  codec coder;
  store_names names;
  for (int i = 0; i < 600; ++i) {
    const auto entry = random_entry(random, 300);
    const auto r = coder.encode(entry, names);
    REQUIRE(r);
    const auto plain = plain_form(names).of(entry);
    REQUIRE(unpacked(*r) == plain);
    CHECK((plain.size() < zstd_from_bytes) <= (r->codec == static_cast<uint8_t>(coding::plain)));
  }
}

TEST_CASE("a record tells how many rows it has, and the stretch of its observations") {
  codec coder;
  store_names names;
  observation_rows rows;
  rows.stores.add("a");
  rows.stores.add("b");
  rows.store = {1, 0, 1};
  rows.seen = {{at_microseconds(50), store_status::active},
               {at_microseconds(-7), store_status::inactive},
               {at_microseconds(20), store_status::active}};
  const auto r = coder.encode({rows, {}, at_microseconds(99)}, names);
  REQUIRE(r);
  CHECK(r->kind == 0);
  CHECK(r->count == 3);
  CHECK(r->oldest == -7);
  CHECK(r->newest == 50);
  CHECK(r->written == at_microseconds(99));
  const auto none = coder.encode({store_deletion{"a"}, {}, {}}, names);
  REQUIRE(none);
  CHECK(none->oldest == 0);
  CHECK(none->newest == 0);
  CHECK(none->count == 1);
}

TEST_CASE("a store named twice is one store with all its rows") {
  codec coder;
  store_names names;
  observation_rows rows;
  rows.stores.add("a");
  rows.stores.add("a");
  rows.store = {1, 0};
  rows.seen = {{at_microseconds(5), store_status::active}, {at_microseconds(4), store_status::active}};
  const auto r = coder.encode({rows, {}, {}}, names);
  REQUIRE(r);
  const auto back = coder.decode(*r, names);
  REQUIRE(back);
  const auto& joined = std::get<observation_rows>(back->change);
  CHECK(joined.stores.size() == 1);
  CHECK(joined.seen == std::vector<observation>{rows.seen[1], rows.seen[0]});
}

TEST_CASE("chunks hold any update") {
  random_source random(3, 1);
  codec coder;
  store_names names;
  for (int i = 0; i < 300; ++i) {
    const auto change = random_update(random, 300);
    const auto c = coder.encode(change, names);
    REQUIRE(c);
    const auto back = coder.decode(*c, names);
    REQUIRE(back);
    CHECK(equivalent(*back, change));
  }
}

TEST_CASE("what is cut off or altered fails its CRC, and reading it nevertheless does no harm") {
  random_source random(4, 1);
  codec coder;
  store_names names;
  uint64_t altered = 0;
  uint64_t unreadable = 0;
  for (int i = 0; i < 120; ++i) {
    auto r = *coder.encode(random_entry(random, 60), names);
    ownership end;
    seal(r, 3, 1, end);
    const auto meet = [&](const record& damaged) {
      ++altered;
      CHECK(crc_of(damaged) != damaged.crc);
      const auto entry = coder.decode(damaged, names);
      if (!entry) {
        CHECK(entry.error().code == errc::damaged);
        ++unreadable;
      }
    };
    for (size_t length = 0; length < r.payload.size(); length += 1 + r.payload.size() / 64) {
      auto cut = r;
      cut.payload.resize(length);
      meet(cut);
    }
    for (int flip = 0; flip < 200 && !r.payload.empty(); ++flip) {
      auto flipped = r;
      flipped.payload[random.below(r.payload.size())] ^= static_cast<char>(1 << random.below(8));
      meet(flipped);
    }
    for (int field = 0; field < 9; ++field) {
      auto other = r;
      switch (field) {
      case 0:
        other.partition ^= 1;
        break;
      case 1:
        other.seq ^= 1;
        break;
      case 2:
        other.epoch ^= 1;
        break;
      case 3:
        other.kind ^= 1;
        break;
      case 4:
        other.codec ^= 3;
        break;
      case 5:
        other.count ^= 1;
        break;
      case 6:
        other.oldest ^= 1;
        break;
      case 7:
        other.written += duration(1);
        break;
      default:
        other.prev_crc ^= 1;
      }
      meet(other);
    }
  }
  CHECK(altered > 20'000);
  CHECK(unreadable > altered / 3);
}

TEST_CASE("any bytes can be read without harm") {
  random_source random(5, 1);
  codec coder;
  store_names names;
  for (int i = 0; i < 30; ++i)
    names.index_of("s" + std::to_string(i));
  uint64_t readable = 0;
  for (int i = 0; i < 60'000; ++i) {
    record r;
    r.kind = static_cast<uint8_t>(random.below(7));
    r.codec = static_cast<uint8_t>(random.below(4));
    r.count = static_cast<uint32_t>(random.below(4));
    r.payload.resize(random.below(80));
    for (auto& c : r.payload)
      c = static_cast<char>(random.chance(500) ? random.below(4) : random.next());
    readable += coder.decode(r, names).has_value() ? 1 : 0;
  }
  CHECK(readable > 0); // else nothing but the first bytes was tried
}

TEST_CASE("a frame that promises more than its bytes can hold is not believed") {
  codec coder;
  store_names names;
  const std::string large(300u << 20, 'x');
  std::string frame(ZSTD_compressBound(large.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), large.data(), large.size(), 1));
  record r;
  r.codec = static_cast<uint8_t>(coding::zstd);
  r.payload = frame;
  CHECK_FALSE(coder.decode(r, names));
  r.payload = frame.substr(0, 20);
  CHECK_FALSE(coder.decode(r, names));
}

TEST_CASE("a record that names an unknown store is damaged") {
  codec coder;
  store_names names;
  const auto r = coder.encode({store_deletion{"a"}, {}, {}}, names);
  REQUIRE(r);
  const auto back = coder.decode(*r, store_names());
  REQUIRE_FALSE(back);
  CHECK(back.error().code == errc::damaged);
}

TEST_CASE("names get indexes in order, and are born once") {
  store_names names(std::vector<std::string>{"a", "b"});
  CHECK(names.index_of("b") == 1);
  CHECK(names.births().empty());
  CHECK(names.index_of("c") == 2);
  CHECK(names.index_of("d") == 3);
  CHECK(names.index_of("c") == 2);
  CHECK(names.births() == std::vector<store_name>{{2, "c"}, {3, "d"}});
  names.keep(3);
  CHECK(names.births() == std::vector<store_name>{{3, "d"}});
  CHECK(names.name_of(3) == "d");
  CHECK_FALSE(names.name_of(4));
  for (int i = 0; i < 5000; ++i)
    CHECK(names.index_of("n" + std::to_string(i)) == static_cast<uint32_t>(4 + i));
  for (int i = 0; i < 5000; ++i)
    CHECK(names.index_of("n" + std::to_string(i)) == static_cast<uint32_t>(4 + i));
}

TEST_CASE("CRC-32C is the one of RFC 3720, with and without the instruction") {
  const std::string ascending = [] {
    std::string s(32, '\0');
    for (size_t i = 0; i < s.size(); ++i)
      s[i] = static_cast<char>(i);
    return s;
  }();
  for (auto* crc : {&crc32c, &crc32c_by_table}) {
    CHECK(crc(std::string(32, '\0'), 0) == 0x8a9136aa);
    CHECK(crc(std::string(32, '\xff'), 0) == 0x62a8ab43);
    CHECK(crc(ascending, 0) == 0x46dd794e);
    CHECK(crc("123456789", 0) == 0xe3069283);
    CHECK(crc("", 0) == 0);
    CHECK(crc("56789", crc("1234", 0)) == 0xe3069283);
  }
  random_source random(6, 1);
  for (int i = 0; i < 200; ++i) {
    const auto text = random_name(random) + random_name(random);
    CHECK(crc32c(text) == crc32c_by_table(text));
  }
}
