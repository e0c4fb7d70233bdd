// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <unistd.h>

#include <exception>
#include <string_view>

#include "app/command.h"

namespace {

/// An exception of the engine's that nothing can catch: its PostgreSQL extension throws while it gives up a transaction whose
/// server is gone. What it would say may name what it read, so it isn't printed.
[[noreturn]] void GiveUp() {
  constexpr std::string_view kText =
      "error: the engine gave up where it can't go on: the server of the catalog may be gone\n"
      "hint: Nothing that was acknowledged is lost; run it again.\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
  ::_exit(static_cast<int>(nano::app::Exit::kCouldNot));
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(GiveUp);
  // Batches come and go by the megabyte: keep their memory instead of giving it back to the system each time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that it takes
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  return nano::app::Main(argc, argv);
}
