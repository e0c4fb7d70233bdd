// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A table's plan as SQL over decoded rows: their relation, the fields that expressions read, and when an expression fails.

#include <memory>
#include <string>

#include "engine/database.h"
#include "engine/row_source.h"
#include "land/plan.h"

namespace nano::land {

/// Keeps a row source registered as long as it is in use.
class Registered {
 public:
  Registered(engine::Database& database, std::shared_ptr<engine::RowSource> source);
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;
  ~Registered();
  std::string relation() const;

 private:
  engine::Database& database_;
  std::int64_t handle_;
};

/// `FROM <relation>`, with the fields that expressions read under their own names.
std::string WithFieldNames(const TablePlan& plan, const std::string& relation);

/// A condition over such a relation: the output's expression fails, or gives what its column can't hold.
std::string ExpressionFails(const Output& output);
/// What ExpressionFails() is told of in quarantine.
constexpr const char* kExpressionFails = "its expression fails, or gives a value that the column's type can't hold";

}  // namespace nano::land
