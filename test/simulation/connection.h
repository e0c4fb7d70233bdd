// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The program's end of a connection to the simulated server, and what the network does to it: refused, cut before or behind a query, in
/// the middle of a COPY, between any two frames of a stream.

#include <functional>
#include <memory>

#include "io/postgres.h"
#include "server.h"

namespace nano::simulation {

class Network {
 public:
  Network(Draw draw, Scheduler& scheduler, Trace& trace, Server& server, std::function<bool()> program_is_dead)
      : draw_(draw), scheduler_(scheduler), trace_(trace), server_(server), is_dead_(std::move(program_is_dead)) {}
  Result<std::unique_ptr<io::Postgres>> Connect(io::Postgres::Mode mode);

 private:
  class Connection;
  Draw draw_;
  Scheduler& scheduler_;
  Trace& trace_;
  Server& server_;
  const std::function<bool()> is_dead_;
};

}  // namespace nano::simulation
