// SPDX-License-Identifier: Apache-2.0
#pragma once
/// NANO_CHECK: aborts, in every build, where only a bug of ours can break a condition. Never for input.

#include <cstdio>
#include <cstdlib>

#define NANO_CHECK(condition)                                                                       \
  do {                                                                                              \
    if (!(condition)) [[unlikely]] {                                                                \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);            \
      std::abort();                                                                                 \
    }                                                                                               \
  } while (false)
