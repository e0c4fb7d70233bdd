// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a message's `source` block says of where and when: the parts of an event that differ from connector to connector.
/// A connector is told by the names it uses, as an unwrapped row may not name it. Pure.
///   PostgreSQL   sequence [A, B]                                    transaction txId
///   MySQL        file, pos, row of one server_id's binlog           transaction gtid
///   SQL Server   commit_lsn, change_lsn, event_serial_no            transaction commit_lsn
///   Oracle       commit_scn; several transactions may share one     transaction txId
///   MongoDB      ts_ms' second and ord in it, of one replica set    transaction lsid and txnNumber

#include <optional>
#include <string_view>

#include "base/arena.h"
#include "wire/debezium.h"

namespace nano::wire {

/// The members of `source` as raw tokens, by whatever names they come: those of the block, of add.fields or of a
/// CloudEvent's attributes.
struct Origin {
  std::string_view connector, snapshot, ts_us, ts_ms, ts_ns, sequence, db, schema, table, tx, lsn;
  std::string_view server_id, gtid, file, pos, row;
  std::string_view commit_lsn, change_lsn, event_serial_no;
  std::string_view scn, commit_scn;
  std::string_view rs, ord, lsid, txn_number;
  std::string_view pending;        ///< of the program's own events: true while the table's snapshot is under way

  /// False: nobody needs a member of that name.
  bool Take(std::string_view key, std::string_view value);
  /// Fills in what was taken. A transaction that is only implied comes last: NameTransaction().
  void Into(DebeziumEvent& event, Arena& arena) const;
  /// Names the transaction of a streamed change that has none yet.
  void NameTransaction(DebeziumEvent& event, Arena& arena) const;
};

/// `ts_ms` of a CloudEvent's `tsms`; what it doesn't know, as it is.
std::string_view NameOfAttribute(std::string_view attribute);

/// "4711" of "4711:65082936", PostgreSQL's; other connectors' ids as they are.
std::string_view TransactionOf(std::string_view id);

/// Microseconds of whichever clock a block has; -1: none.
std::int64_t CommitTime(std::string_view ts_us, std::string_view ts_ms, std::string_view ts_ns);

/// The text of a string token; of another, the token; of null and nothing, nothing.
std::string_view TextOf(std::string_view token, Arena& arena);

/// `first.second`, or the second alone.
std::string_view Joined(std::string_view first, std::string_view second, Arena& arena);

}  // namespace nano::wire
