// SPDX-License-Identifier: Apache-2.0
/// simulation FOLDER [SEED [LEAST [SECONDS]]]: runs seeds one after another in FOLDER, LEAST of them and on until SECONDS are over; the first
/// twice, and both must be the same to the last line. NANO_TRACE prints every line. Of a seed that failed it says the step and
/// the end of its trace; the last line says what was done in all.

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include "run_seed.h"

#include <fmt/format.h>

namespace {

using namespace nano::simulation;
using Clock = std::chrono::steady_clock;

void Tell(const SeedOptions& options, const Outcome& outcome) {
  for (const auto& line : outcome.last) std::cout << "  " << line << "\n";
  std::string failure = outcome.failure;
  for (char& c : failure)
    if (c == '\n') c = ' ';
  std::cout << fmt::format("seed {} failed at step {}: {}", options.seed, outcome.step, failure) << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::cerr << "usage: simulation FOLDER [SEED [LEAST [SECONDS]]]\n";
    return 2;
  }
  const std::filesystem::path folder = std::filesystem::absolute(arguments[1]);
  SeedOptions options;
  options.seed = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  const std::uint64_t least = count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1;
  const double seconds = count > 4 ? std::strtod(arguments[4], nullptr) : 0;
  options.prints = std::getenv("NANO_TRACE") != nullptr;
  const auto began = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  std::uint64_t ran = 0, failed = 0, faults = 0, commits = 0, looks = 0, records = 0;
  std::map<std::string, std::uint64_t> by_kind;
  for (; ran < least || passed() < seconds; ++ran, ++options.seed) {
    const Outcome outcome = RunSeed(options, folder);
    if (ran == 0 && outcome.failure.empty()) {
      const Outcome again = RunSeed(options, folder);
      if (again.digest != outcome.digest) {
        std::cout << fmt::format("seed {} ran differently the second time: {:016x}, then {:016x}", options.seed, outcome.digest, again.digest) << std::endl;
        ++failed;
      } else {
        std::cout << fmt::format("seed {} ran twice alike: {:016x}", options.seed, outcome.digest) << std::endl;
      }
    }
    if (!outcome.failure.empty()) {
      Tell(options, outcome);
      ++failed;
    }
    faults += outcome.faults;
    commits += outcome.commits;
    looks += outcome.looks;
    records += outcome.log_records;
    for (const auto& [kind, number] : outcome.faults_by_kind) by_kind[kind] += number;
  }
  for (const auto& [kind, number] : by_kind) std::cout << fmt::format("  {:8} {}\n", number, kind);
  const double processor = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  std::cout << fmt::format("{} seeds, {} failed; {} faults in {:.1f} s, {:.0f} a minute of processor time; {} log records, {} commits of landing, {} looks at the money", ran,
                           failed, faults, passed(), static_cast<double>(faults) * 60 / processor, records, commits, looks)
            << std::endl;
  return failed > 0 ? 1 : 0;
}
