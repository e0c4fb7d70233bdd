// SPDX-License-Identifier: Apache-2.0
#include "wire/pgoutput.h"

#include <charconv>
#include <cstring>

namespace nano::wire {
namespace {

constexpr std::int64_t kMicrosFrom1970To2000 = 946'684'800'000'000;

/// Big-endian numbers and texts, one after another; once something is missing, nothing is there any more.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number Take() {
    if (rest_.size() < sizeof(Number)) return Break<Number>();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(sizeof(Number));
    return static_cast<Number>(value);
  }
  char Letter() { return static_cast<char>(Take<std::uint8_t>()); }
  Lsn TakeLsn() { return Lsn{Take<std::uint64_t>()}; }
  std::int64_t TakeTime() { return MicrosSince1970(Take<std::int64_t>()); }
  std::string_view TakeText(std::size_t size) {
    if (rest_.size() < size) return Break<std::string_view>();
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  /// Up to a zero byte, which is passed over.
  std::string_view TakeName() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return Break<std::string_view>();
    const std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return name;
  }
  std::size_t left() const { return rest_.size(); }
  bool broken() const { return broken_; }
  void Refuse() { broken_ = true; }
  bool done() const { return !broken_ && rest_.empty(); }

 private:
  template <class Value>
  Value Break() {
    broken_ = true;
    rest_ = {};
    return Value{};
  }
  std::string_view rest_;
  bool broken_ = false;
};

void TakeRow(Bytes& in, std::vector<PgValue>& row) {
  const auto count = in.Take<std::uint16_t>();
  row.clear();
  if (in.left() < count) return in.Refuse();   // each has a letter at least
  row.reserve(count);
  for (std::size_t i = 0; i < count && !in.broken(); ++i) {
    PgValue value;
    switch (in.Letter()) {
      case 'n': value.kind = PgValue::Kind::kNull; break;
      case 'u': value.kind = PgValue::Kind::kUnchanged; break;
      case 't': value.kind = PgValue::Kind::kText; break;
      case 'b': value.kind = PgValue::Kind::kBinary; break;
      default: return in.Refuse();
    }
    if (value.kind == PgValue::Kind::kText || value.kind == PgValue::Kind::kBinary) {
      const auto size = in.Take<std::uint32_t>();
      value.text = in.TakeText(size);
    }
    row.push_back(value);
  }
}

void TakeRelation(Bytes& in, PgMessage& out) {
  out.relation = in.Take<std::uint32_t>();
  out.schema = in.TakeName();
  if (out.schema.empty()) out.schema = "pg_catalog";
  out.name = in.TakeName();
  const char identity = in.Letter();
  if (identity != 'd' && identity != 'n' && identity != 'f' && identity != 'i') return in.Refuse();
  out.identity = static_cast<ReplicaIdentity>(identity);
  const auto count = in.Take<std::uint16_t>();
  out.columns.clear();
  constexpr std::size_t kLeastColumn = 10;   // flags, an empty name, type, modifier
  if (in.left() < count * kLeastColumn) return in.Refuse();
  out.columns.reserve(count);
  for (std::size_t i = 0; i < count && !in.broken(); ++i) {
    PgColumn column;
    column.in_key = (in.Take<std::uint8_t>() & 1) != 0;
    column.name = in.TakeName();
    column.type = in.Take<std::uint32_t>();
    column.modifier = in.Take<std::int32_t>();
    out.columns.push_back(column);
  }
}

void TakeUpdate(Bytes& in, PgMessage& out) {
  out.relation = in.Take<std::uint32_t>();
  char part = in.Letter();
  if (part == 'K' || part == 'O') {
    out.has_before = true;
    out.before_is_key = part == 'K';
    TakeRow(in, out.before);
    part = in.Letter();
  }
  if (part != 'N') return in.Refuse();
  TakeRow(in, out.after);
}

void TakeDelete(Bytes& in, PgMessage& out) {
  out.relation = in.Take<std::uint32_t>();
  const char part = in.Letter();
  if (part != 'K' && part != 'O') return in.Refuse();
  out.has_before = true;
  out.before_is_key = part == 'K';
  TakeRow(in, out.before);
}

void TakeTruncate(Bytes& in, PgMessage& out) {
  const auto count = in.Take<std::uint32_t>();
  const auto options = in.Take<std::uint8_t>();
  out.cascades = (options & 1) != 0;
  out.restarts_identities = (options & 2) != 0;
  if (in.left() / sizeof(std::uint32_t) < count) return in.Refuse();
  for (std::size_t i = 0; i < count; ++i) out.relations.push_back(in.Take<std::uint32_t>());
}

void TakeLogicalMessage(Bytes& in, PgMessage& out) {
  out.transactional = (in.Take<std::uint8_t>() & 1) != 0;
  out.lsn = in.TakeLsn();
  out.name = in.TakeName();
  const auto size = in.Take<std::uint32_t>();
  out.content = in.TakeText(size);
}

void TakeCommit(Bytes& in, PgMessage& out) {
  (void)in.Take<std::uint8_t>();   // flags, of which there are none
  out.lsn = in.TakeLsn();
  out.end = in.TakeLsn();
  out.time = in.TakeTime();
}

void TakePrepared(Bytes& in, PgMessage& out) {
  out.lsn = in.TakeLsn();
  out.end = in.TakeLsn();
  out.time = in.TakeTime();
  out.xid = in.Take<std::uint32_t>();
  out.name = in.TakeName();
}

void TakeAbort(Bytes& in, PgMessage& out) {
  out.xid = in.Take<std::uint32_t>();
  out.subxid = in.Take<std::uint32_t>();
  if (in.left() == 0) return;   // a stream that is applied in parallel says more
  out.lsn = in.TakeLsn();
  out.time = in.TakeTime();
}

/// Inside a stream block these begin with their transaction.
bool HasXidInStream(char letter) { return std::string_view("RYIUDTM").find(letter) != std::string_view::npos; }

/// False: no such kind.
bool TakeBody(char letter, Bytes& in, PgMessage& out) {
  using Kind = PgMessage::Kind;
  switch (letter) {
    case 'B':
      out.kind = Kind::kBegin;
      out.lsn = in.TakeLsn();
      out.time = in.TakeTime();
      out.xid = in.Take<std::uint32_t>();
      return true;
    case 'C': out.kind = Kind::kCommit; TakeCommit(in, out); return true;
    case 'O':
      out.kind = Kind::kOrigin;
      out.lsn = in.TakeLsn();
      out.name = in.TakeName();
      return true;
    case 'R': out.kind = Kind::kRelation; TakeRelation(in, out); return true;
    case 'Y':
      out.kind = Kind::kType;
      out.type = in.Take<std::uint32_t>();
      out.schema = in.TakeName();
      out.name = in.TakeName();
      return true;
    case 'I':
      out.kind = Kind::kInsert;
      out.relation = in.Take<std::uint32_t>();
      if (in.Letter() != 'N') in.Refuse();
      TakeRow(in, out.after);
      return true;
    case 'U': out.kind = Kind::kUpdate; TakeUpdate(in, out); return true;
    case 'D': out.kind = Kind::kDelete; TakeDelete(in, out); return true;
    case 'T': out.kind = Kind::kTruncate; TakeTruncate(in, out); return true;
    case 'M': out.kind = Kind::kMessage; TakeLogicalMessage(in, out); return true;
    case 'S':
      out.kind = Kind::kStreamStart;
      out.xid = in.Take<std::uint32_t>();
      out.first_segment = in.Take<std::uint8_t>() == 1;
      return true;
    case 'E': out.kind = Kind::kStreamStop; return true;
    case 'c':
      out.kind = Kind::kStreamCommit;
      out.xid = in.Take<std::uint32_t>();
      TakeCommit(in, out);
      return true;
    case 'A': out.kind = Kind::kStreamAbort; TakeAbort(in, out); return true;
    case 'b': out.kind = Kind::kBeginPrepare; TakePrepared(in, out); return true;
    case 'P':
    case 'K':
    case 'p':
      out.kind = letter == 'P' ? Kind::kPrepare : letter == 'K' ? Kind::kCommitPrepared : Kind::kStreamPrepare;
      (void)in.Take<std::uint8_t>();
      TakePrepared(in, out);
      return true;
    case 'r': {
      out.kind = Kind::kRollbackPrepared;
      (void)in.Take<std::uint8_t>();
      out.lsn = in.TakeLsn();
      out.end = in.TakeLsn();
      (void)in.TakeTime();   // of the prepare
      out.time = in.TakeTime();
      out.xid = in.Take<std::uint32_t>();
      out.name = in.TakeName();
      return true;
    }
    default: return false;
  }
}

void Clear(PgMessage& out) {
  out.xid = out.subxid = out.relation = out.type = 0;
  out.lsn = out.end = Lsn{};
  out.time = 0;
  out.schema = out.name = out.content = {};
  out.has_before = out.before_is_key = false;
  out.cascades = out.restarts_identities = out.transactional = out.first_segment = false;
  out.before.clear();
  out.after.clear();
  out.relations.clear();
}

template <class Number>
void Put(std::string& out, Number number) {
  for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff);
}

}  // namespace

std::string LsnText(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xffffffff); }

std::optional<Lsn> ParseLsn(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::uint32_t parts[2] = {0, 0};
  const std::string_view halves[2] = {text.substr(0, slash), text.substr(slash + 1)};
  for (std::size_t i = 0; i < 2; ++i) {
    const char* const end = halves[i].data() + halves[i].size();
    const auto [at, error] = std::from_chars(halves[i].data(), end, parts[i], 16);
    if (error != std::errc() || at != end) return std::nullopt;
  }
  return Lsn{static_cast<std::uint64_t>(parts[0]) << 32 | parts[1]};
}

std::int64_t MicrosSince1970(std::int64_t micros_since_2000) {
  std::int64_t micros = 0;
  return __builtin_add_overflow(micros_since_2000, kMicrosFrom1970To2000, &micros) ? micros_since_2000 : micros;
}

Result<WalFrame> DecodeWalFrame(std::string_view bytes) {
  Bytes in(bytes);
  WalFrame frame;
  switch (in.Letter()) {
    case 'w':
      frame.kind = WalFrame::Kind::kData;
      frame.begin = in.TakeLsn();
      frame.end = in.TakeLsn();
      (void)in.TakeTime();
      frame.data = in.TakeText(in.left());
      break;
    case 'k':
      frame.kind = WalFrame::Kind::kKeepalive;
      frame.end = in.TakeLsn();
      (void)in.TakeTime();
      frame.wants_reply = in.Take<std::uint8_t>() == 1;
      break;
    default: in.Refuse();
  }
  if (!in.done()) return Fail(Code::kCorrupt, "the server sent a frame of replication that is none");
  return frame;
}

std::string StandbyStatus(Lsn received, Lsn durable, std::int64_t micros_since_1970) {
  std::string out = "r";
  Put(out, received.value);
  Put(out, durable.value);
  Put(out, durable.value);
  Put(out, micros_since_1970 - kMicrosFrom1970To2000);
  out += '\0';
  return out;
}

Status DecodePgOutput(std::string_view bytes, InStream in_stream, PgMessage& out) {
  Clear(out);
  Bytes in(bytes);
  const char letter = in.Letter();
  std::uint32_t xid = 0;
  const bool has_xid = in_stream == InStream::kYes && HasXidInStream(letter);
  if (has_xid) xid = in.Take<std::uint32_t>();
  if (!in.broken() && !TakeBody(letter, in, out))
    return Fail(Code::kUnsupported, "the server sent a message of kind {}, which is not known", static_cast<int>(static_cast<unsigned char>(letter)));
  if (has_xid) out.xid = xid;
  if (!in.done()) return Fail(Code::kCorrupt, "the server sent a message of kind {} that is not whole", letter == '\0' ? '?' : letter);
  return {};
}

}  // namespace nano::wire
