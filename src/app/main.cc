// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include "app/command.h"

int main(int argc, char** argv) {
  // Batches come and go by the megabyte: keep their memory instead of giving it back to the system each time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that it takes
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  return nano::app::Main(argc, argv);
}
