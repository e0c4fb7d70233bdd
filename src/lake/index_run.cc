// SPDX-License-Identifier: Apache-2.0
#include "lake/index_run.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <queue>
#include <unordered_map>

#include "base/check.h"
#include "io/files.h"

namespace nano::lake {
namespace {

constexpr std::uint64_t kMagic = 0x31'78'64'69'6f'6e'61'6eULL;   // "nanoidx1"
/// A block of the bloom filter is one cache line; a key sets kProbes bits of one.
constexpr std::size_t kBlockWords = 8;
constexpr std::size_t kBitsPerKey = 10;
constexpr unsigned kProbes = 6;

/// What stands at the end of a file, behind the list of files, the filter and the entries, each at a multiple of 64.
struct Footer {
  std::uint64_t entries = 0;
  std::uint64_t files = 0;
  std::uint64_t filter_blocks = 0;
  std::uint64_t unused[3] = {0, 0, 0};
  std::uint32_t content_crc = 0;    ///< of all that stands before the footer
  std::uint32_t footer_crc = 0;     ///< of the footer before this
  std::uint64_t magic = kMagic;
};
static_assert(sizeof(Footer) == 64);

std::uint32_t Crc(std::uint32_t crc, const void* data, std::size_t size) {
  return static_cast<std::uint32_t>(crc32_z(crc, static_cast<const unsigned char*>(data), size));
}
std::uint32_t FooterCrc(const Footer& footer) { return Crc(0, &footer, offsetof(Footer, footer_crc)); }

std::size_t Padded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

std::size_t FilterBlocks(std::size_t entries) { return std::max<std::size_t>(1, (entries * kBitsPerKey + 511) / 512); }

std::size_t BlockOf(const KeyHash& key, std::size_t blocks) {
  return static_cast<std::size_t>((static_cast<unsigned __int128>(key.low) * blocks) >> 64);
}
template <class Visit>
bool Bits(const KeyHash& key, Visit visit) {
  std::uint64_t bits = key.high * 0x9e3779b97f4a7c15ULL ^ key.low;
  for (unsigned i = 0; i < kProbes; ++i, bits = std::rotr(bits, 9))
    if (!visit((bits >> 6) & (kBlockWords - 1), std::uint64_t{1} << (bits & 63))) return false;
  return true;
}

class MemoryRun final : public IndexRun {
 public:
  MemoryRun(std::vector<IndexEntry> entries, std::vector<std::int64_t> files) : entries_(std::move(entries)), files_(std::move(files)) {}
  std::span<const IndexEntry> entries() const override { return entries_; }
  const std::vector<std::int64_t>& files() const override { return files_; }
  bool MayHold(const KeyHash&) const override { return true; }
  std::size_t resident_bytes() const override { return entries_.capacity() * sizeof(IndexEntry) + files_.capacity() * sizeof(std::int64_t); }

 private:
  std::vector<IndexEntry> entries_;
  std::vector<std::int64_t> files_;
};

class MappedRun final : public IndexRun {
 public:
  MappedRun(void* memory, std::size_t size) : memory_(static_cast<const char*>(memory)), size_(size) {}
  MappedRun(const MappedRun&) = delete;
  MappedRun& operator=(const MappedRun&) = delete;
  ~MappedRun() override { munmap(const_cast<char*>(memory_), size_); }

  bool Read(bool whole) {
    if (size_ < sizeof(Footer)) return false;
    const std::size_t content = size_ - sizeof(Footer);
    Footer footer;
    std::memcpy(&footer, memory_ + content, sizeof footer);
    if (footer.magic != kMagic || footer.footer_crc != FooterCrc(footer)) return false;
    const std::size_t filter = Padded(footer.files * sizeof(std::int64_t));
    const std::size_t entries = filter + footer.filter_blocks * kBlockWords * sizeof(std::uint64_t);
    if (footer.filter_blocks == 0 || content != entries + footer.entries * sizeof(IndexEntry)) return false;
    if (whole && footer.content_crc != Crc(0, memory_, content)) return false;
    const auto* const files = reinterpret_cast<const std::int64_t*>(memory_);
    files_.assign(files, files + footer.files);
    filter_ = reinterpret_cast<const std::uint64_t*>(memory_ + filter);
    blocks_ = footer.filter_blocks;
    entries_ = {reinterpret_cast<const IndexEntry*>(memory_ + entries), footer.entries};
    return true;
  }
  std::span<const IndexEntry> entries() const override { return entries_; }
  const std::vector<std::int64_t>& files() const override { return files_; }
  bool MayHold(const KeyHash& key) const override {
    const std::uint64_t* const block = filter_ + BlockOf(key, blocks_) * kBlockWords;
    return Bits(key, [&](std::size_t word, std::uint64_t bit) { return (block[word] & bit) != 0; });
  }
  std::size_t resident_bytes() const override { return files_.capacity() * sizeof(std::int64_t); }

 private:
  const char* memory_;
  std::size_t size_;
  std::vector<std::int64_t> files_;
  const std::uint64_t* filter_ = nullptr;
  std::size_t blocks_ = 0;
  std::span<const IndexEntry> entries_;
};

/// Runs side by side, smallest key first; of equal keys those of the first run, which is the youngest.
class Merge {
 public:
  Merge(const std::vector<std::shared_ptr<const IndexRun>>& runs, const std::function<bool(std::int64_t)>& live) : runs_(runs) {
    std::unordered_map<std::int64_t, std::uint32_t> known;
    for (const auto& run : runs) {
      auto& numbers = numbers_.emplace_back();
      for (const std::int64_t file : run->files()) {
        if (live && !live(file)) {
          numbers.push_back(kDead);
          continue;
        }
        const auto [at, added] = known.emplace(file, static_cast<std::uint32_t>(files_.size()));
        if (added) files_.push_back(file);
        numbers.push_back(at->second);
      }
    }
    at_.resize(runs.size(), 0);
    for (std::size_t r = 0; r < runs.size(); ++r) Push(r);
  }
  const std::vector<std::int64_t>& files() const { return files_; }
  bool Next(IndexEntry& out) {
    if (heap_.empty()) return false;
    const std::size_t run = heap_.top().second;
    heap_.pop();
    out = runs_[run]->entries()[at_[run]];
    out.file = numbers_[run][out.file];
    ++at_[run];
    Push(run);
    return true;
  }

 private:
  static constexpr std::uint32_t kDead = UINT32_MAX;
  using Head = std::pair<KeyHash, std::size_t>;
  void Push(std::size_t run) {
    const auto entries = runs_[run]->entries();
    while (at_[run] < entries.size() && numbers_[run][entries[at_[run]].file] == kDead) ++at_[run];
    if (at_[run] < entries.size()) heap_.push({entries[at_[run]].key, run});
  }
  const std::vector<std::shared_ptr<const IndexRun>>& runs_;
  std::vector<std::vector<std::uint32_t>> numbers_;   ///< of each run's files in the merged list
  std::vector<std::int64_t> files_;
  std::vector<std::size_t> at_;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heap_;
};

}  // namespace

std::span<const IndexEntry> IndexRun::Find(const KeyHash& key) const {
  const auto all = entries();
  if (all.empty() || !MayHold(key)) return {};
  // Hashes are spread evenly, so the place of one can be guessed; a few guesses bring it near.
  std::size_t low = 0, high = all.size();
  for (int guesses = 0; guesses < 4 && high - low > 64; ++guesses) {
    const std::uint64_t first = all[low].key.high, last = all[high - 1].key.high;
    if (key.high < first || key.high > last || first == last) break;
    const auto offset = static_cast<std::size_t>(static_cast<unsigned __int128>(key.high - first) * (high - 1 - low) / (last - first));
    const std::size_t slack = (high - low) / 64 + 16;
    const std::size_t from = low + (offset > slack ? offset - slack : 0), to = std::min(high, low + offset + slack);
    if (all[from].key < key) low = from;
    else if (from > low) high = from;
    if (to > low && to < high && key < all[to].key) high = to;
  }
  const auto less = [](const IndexEntry& entry, const KeyHash& wanted) { return entry.key < wanted; };
  auto begin = std::lower_bound(all.begin() + static_cast<std::ptrdiff_t>(low), all.begin() + static_cast<std::ptrdiff_t>(high), key, less);
  auto end = begin;
  while (end != all.end() && end->key == key) ++end;
  return {begin, end};
}

std::shared_ptr<const IndexRun> MakeRun(std::vector<KeyedPlace> rows) {
  std::vector<std::int64_t> files;
  std::unordered_map<std::int64_t, std::uint32_t> known;
  std::vector<IndexEntry> entries;
  entries.reserve(rows.size());
  for (const KeyedPlace& row : rows) {
    const auto [at, added] = known.emplace(row.place.file, static_cast<std::uint32_t>(files.size()));
    if (added) files.push_back(row.place.file);
    entries.push_back({row.key, row.place.row_id, row.place.row, at->second});
  }
  std::sort(entries.begin(), entries.end(), [](const IndexEntry& a, const IndexEntry& b) { return a.key < b.key; });
  return std::make_shared<MemoryRun>(std::move(entries), std::move(files));
}

std::shared_ptr<const IndexRun> MergeInMemory(const std::vector<std::shared_ptr<const IndexRun>>& runs,
                                              const std::function<bool(std::int64_t)>& live) {
  Merge merge(runs, live);
  std::vector<IndexEntry> entries;
  std::size_t most = 0;
  for (const auto& run : runs) most += run->entries().size();
  entries.reserve(most);
  IndexEntry entry;
  while (merge.Next(entry)) entries.push_back(entry);
  return std::make_shared<MemoryRun>(std::move(entries), merge.files());
}

Status MergeToFile(const std::vector<std::shared_ptr<const IndexRun>>& runs, const std::function<bool(std::int64_t)>& live,
                   const std::filesystem::path& path) {
  Footer footer;
  {
    Merge count(runs, live);
    IndexEntry entry;
    while (count.Next(entry)) ++footer.entries;
    footer.files = count.files().size();
  }
  footer.filter_blocks = FilterBlocks(footer.entries);
  std::vector<std::uint64_t> filter(footer.filter_blocks * kBlockWords, 0);
  {
    Merge fill(runs, live);
    IndexEntry entry;
    while (fill.Next(entry)) {
      std::uint64_t* const block = filter.data() + BlockOf(entry.key, footer.filter_blocks) * kBlockWords;
      Bits(entry.key, [&](std::size_t word, std::uint64_t bit) {
        block[word] |= bit;
        return true;
      });
    }
  }
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  ASSIGN(const auto file, io::AppendFile::Open(path, "index.run"));
  Merge merge(runs, live);
  const auto put = [&](const void* data, std::size_t size) {
    footer.content_crc = Crc(footer.content_crc, data, size);
    return file->Append({static_cast<const char*>(data), size});
  };
  std::string files(Padded(footer.files * sizeof(std::int64_t)), '\0');
  if (footer.files > 0) std::memcpy(files.data(), merge.files().data(), footer.files * sizeof(std::int64_t));
  TRY(put(files.data(), files.size()));
  TRY(put(filter.data(), filter.size() * sizeof(std::uint64_t)));
  std::vector<IndexEntry> part;
  constexpr std::size_t kPart = 32768;
  part.reserve(kPart);
  IndexEntry entry;
  while (merge.Next(entry)) {
    part.push_back(entry);
    if (part.size() < kPart) continue;
    TRY(put(part.data(), part.size() * sizeof(IndexEntry)));
    part.clear();
  }
  if (!part.empty()) TRY(put(part.data(), part.size() * sizeof(IndexEntry)));
  footer.footer_crc = FooterCrc(footer);
  TRY(file->Append({reinterpret_cast<const char*>(&footer), sizeof footer}));
  return file->Sync();
}

Result<std::shared_ptr<const IndexRun>> MapRun(const std::filesystem::path& path, bool whole) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Fail(Code::kNotFound, "{} can not be opened", path.string());
  struct stat status {};
  if (fstat(file, &status) != 0 || status.st_size < static_cast<off_t>(sizeof(Footer))) {
    close(file);
    return Fail(Code::kCorrupt, "{} is not a whole run of a key index", path.string());
  }
  void* const memory = mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return Fail(Code::kUnavailable, "{} can not be mapped", path.string());
  auto run = std::make_shared<MappedRun>(memory, static_cast<std::size_t>(status.st_size));
  if (!run->Read(whole)) return Fail(Code::kCorrupt, "{} is not a whole run of a key index", path.string());
  return std::shared_ptr<const IndexRun>(std::move(run));
}

}  // namespace nano::lake
