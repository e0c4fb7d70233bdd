// SPDX-License-Identifier: Apache-2.0
#pragma once
/// PostgreSQL's logical replication as bytes: the frames that a walsender sends and takes (XLogData, keepalive, standby
/// status), and the messages of its output plugin pgoutput inside them, protocol versions 1 to 4. PostgreSQL's documentation:
/// "Streaming Replication Protocol", "Logical Replication Message Formats". Pure; every length is checked.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nano::wire {

/// A place in PostgreSQL's log, 0 for none.
struct Lsn {
  std::uint64_t value = 0;
  auto operator<=>(const Lsn&) const = default;
};

/// `16/B374D848`, as PostgreSQL writes it.
std::string LsnText(Lsn lsn);
std::optional<Lsn> ParseLsn(std::string_view text);

/// Microseconds since 2000, as PostgreSQL counts, as microseconds since 1970.
std::int64_t MicrosSince1970(std::int64_t micros_since_2000);

/// What a walsender sends.
struct WalFrame {
  enum class Kind : std::uint8_t { kData, kKeepalive };
  Kind kind = Kind::kData;
  Lsn begin;                      ///< of data: where it stands in the log
  Lsn end;                        ///< the end of the log as the server knows it; of a keepalive: all before it was sent
  bool wants_reply = false;       ///< of a keepalive: an answer must come soon
  std::string_view data;          ///< one message of pgoutput
};
/// kCorrupt: neither of them.
Result<WalFrame> DecodeWalFrame(std::string_view bytes);

/// The answer: what was received, and what is durable here, so that the server may forget it.
std::string StandbyStatus(Lsn received, Lsn durable, std::int64_t micros_since_1970);

/// One value of a row.
struct PgValue {
  enum class Kind : std::uint8_t { kNull, kUnchanged, kText, kBinary };
  Kind kind = Kind::kNull;
  std::string_view text;
};

struct PgColumn {
  std::string_view name;
  std::uint32_t type = 0;         ///< oid
  std::int32_t modifier = -1;
  bool in_key = false;            ///< of the replica identity; of FULL every column is
};

/// What a row's identity is made of: pg_class.relreplident.
enum class ReplicaIdentity : char { kDefault = 'd', kNothing = 'n', kFull = 'f', kIndex = 'i' };

/// One message. Views lie in its bytes. Which members are set is said by the kind.
struct PgMessage {
  enum class Kind : std::uint8_t {
    kBegin,              ///< lsn: of its commit; time; xid
    kCommit,             ///< lsn: of the commit; end; time
    kOrigin,             ///< lsn: of the commit at its origin; name
    kRelation,           ///< relation, schema, name, identity, columns
    kType,               ///< type, schema, name
    kInsert,             ///< relation, after
    kUpdate,             ///< relation, before (if has_before; only the key's values if before_is_key), after
    kDelete,             ///< relation, before
    kTruncate,           ///< relations, cascades, restarts_identities
    kMessage,            ///< transactional, lsn, name: its prefix, content
    kStreamStart,        ///< xid, first_segment
    kStreamStop,
    kStreamCommit,       ///< xid, lsn, end, time
    kStreamAbort,        ///< xid, subxid, from version 4 on perhaps lsn, time
    kBeginPrepare,       ///< lsn: of the prepare; end; time; xid; name: the transaction's
    kPrepare,            ///< the same
    kCommitPrepared,     ///< lsn: of the commit; end; time; xid; name
    kRollbackPrepared,   ///< lsn: end of the prepare; end: of the rollback; time; xid; name
    kStreamPrepare,      ///< as kPrepare
  };
  Kind kind = Kind::kBegin;
  std::uint32_t xid = 0;          ///< inside a stream block of every message: the (sub)transaction that it belongs to
  std::uint32_t subxid = 0;
  Lsn lsn, end;
  std::int64_t time = 0;          ///< µs since 1970
  std::uint32_t relation = 0, type = 0;
  std::string_view schema, name, content;
  ReplicaIdentity identity = ReplicaIdentity::kDefault;
  std::vector<PgColumn> columns;
  bool has_before = false, before_is_key = false;
  std::vector<PgValue> before, after;
  std::vector<std::uint32_t> relations;
  bool cascades = false, restarts_identities = false, transactional = false, first_segment = false;
};

/// Whether the message stands between Stream Start and Stream Stop: its xid stands in it then.
enum class InStream : bool { kNo, kYes };

/// Reads one message into `out`, whose vectors keep their memory.  kCorrupt: it ends too soon, has bytes too many or says
/// what none says; kUnsupported: a kind of message that is not known.
Status DecodePgOutput(std::string_view bytes, InStream in_stream, PgMessage& out);

}  // namespace nano::wire
