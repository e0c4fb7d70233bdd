// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the program and all that it loads draw by themselves (names of files, ids), and the time of day that they ask the system for, come
/// from the run while one is set: the size of a B-tree's pages depends on them, and so how often the disk is called.

#include "base/clock.h"
#include "draw.h"

namespace nano::simulation {

class Chance {
 public:
  Chance(Draw draw, Clock& clock);
  ~Chance();
  Chance(const Chance&) = delete;
  Chance& operator=(const Chance&) = delete;

  Draw draw;
  Clock& clock;
};

}  // namespace nano::simulation
