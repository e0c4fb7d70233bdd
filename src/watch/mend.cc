// SPDX-License-Identifier: Apache-2.0
#include "watch/mend.h"

#include <fmt/format.h>

#include "base/check.h"
#include "io/files.h"

namespace nano::watch {
namespace {

class WriterHands final : public Hands {
 public:
  /// `state`: none while it is what must be mended.
  WriterHands(state::State* state, const Tools& tools) : state_(state), tools_(tools) {}
  Result<lake::Writer*> lake() override {
    if (!lake_) {
      ASSIGN(lake_, tools_.open_lake());
    }
    return lake_.get();
  }
  state::State& state() override {
    NANO_CHECK(state_);
    return *state_;
  }
  Status Publish() override {
    ASSIGN(lake::Writer* const writer, lake());
    return tools_.publish(writer->connection());
  }

 private:
  state::State* state_;
  const Tools& tools_;
  std::unique_ptr<lake::Writer> lake_;
};

void MendOne(Trouble& trouble, Hands& hands) {
  if (!trouble.mend || trouble.fix != Fix::kNotTried) return;
  const Status done = trouble.mend(hands);
  trouble.fix = done ? Fix::kDone : Fix::kFailed;
  if (!done) trouble.failure = done.error().message;
}

}  // namespace

Result<std::vector<Check>> Mend(const contract::Layout& layout, const Looking& looking, const Tools& tools) {
  TRY(io::MakeFolders(layout.local, "state.folder"));
  std::vector<Check> out{CheckState(layout)};
  WriterHands before(nullptr, tools);
  for (auto& trouble : out[0].troubles)
    if (trouble.code == Code::kCorrupt) MendOne(trouble, before);
  ASSIGN(const auto state, state::State::Open(layout.local));
  ASSIGN(const auto lease, state->AcquireWriter());
  ASSIGN(const std::int64_t run, state->StartRun("doctor", lease->epoch()));
  for (auto& check : CheckStores(layout, looking)) out.push_back(std::move(check));
  WriterHands hands(state.get(), tools);
  std::size_t mended = 0;
  for (auto& check : out)
    for (auto& trouble : check.troubles) {
      if (looking.stop()) break;
      TRY(lease->Check());
      MendOne(trouble, hands);
      mended += trouble.fix == Fix::kDone ? 1U : 0U;
    }
  TRY(state->FinishRun(run, looking.stop() ? state::Outcome::kStopped : state::Outcome::kOk, "", fmt::format("{{\"mended\":{}}}", mended)));
  return out;
}

}  // namespace nano::watch
