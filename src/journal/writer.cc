// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "io/fault.h"
#include "io/files.h"
#include "journal/block.h"
#include "journal/dictionary.h"
#include "journal/format.h"
#include "journal/frame_writer.h"
#include "journal/journal.h"
#include "journal/recovery.h"
#include "journal/schema_split.h"

namespace nano::journal {
namespace {

constexpr std::uint32_t kNone = DictionaryBuilder::kNone;
/// A schema shorter than this is not worth an entry.
constexpr std::size_t kMinSchemaText = 64;
/// A block with inline schemas ends before it would become larger than this when they are put back.
constexpr std::size_t kMaxGrownBlock = kMaxRestoredBytes / 2;
/// What may wait to be compressed and written.
constexpr std::size_t kMaxQueuedBytes = 4 << 20;
/// Less than this waits for the commit, and needs no thread.
constexpr std::size_t kThreadWorthy = 256 << 10;

/// Compresses and writes frames behind the back of whoever appends, in their order. Its queue is bounded.
class FrameQueue {
 public:
  struct Frame {
    std::shared_ptr<const MemoryBlock> block = nullptr;     // or an entry of the dictionary:
    DictionaryBuilder::Kind kind = DictionaryBuilder::Kind::kStream;
    std::uint32_t number = 0;
    std::shared_ptr<const std::string> text = nullptr;
    Position position = {};
  };

  explicit FrameQueue(FrameWriter& writer) : writer_(writer) {}

  /// Waits for room. The error of an earlier frame, if one failed.
  Status Push(Frame frame) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return queued_bytes_ < kMaxQueuedBytes || !status_; });
    if (!status_) return status_;
    queued_bytes_ += Bytes(frame);
    frames_.push_back(std::move(frame));
    if (thread_.joinable()) changed_.notify_all();
    else if (queued_bytes_ >= kThreadWorthy) thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
    return {};
  }

  /// Until everything is written.
  Status Drain() {
    std::unique_lock lock(mutex_);
    if (!thread_.joinable()) {
      for (const Frame& frame : frames_) TRY(Write(frame));
      frames_.clear();
      queued_bytes_ = 0;
      return {};
    }
    changed_.wait(lock, [&] { return (frames_.empty() && !busy_) || !status_; });
    return status_;
  }

 private:
  static std::size_t Bytes(const Frame& frame) { return frame.block != nullptr ? frame.block->stored_form().size() : frame.text->size(); }

  Status Write(const Frame& frame) {
    if (frame.block != nullptr) return writer_.WriteBlock(*frame.block);
    return writer_.WriteEntry(frame.kind, frame.number, *frame.text, frame.position);
  }

  void Run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return !frames_.empty(); })) {
      Frame frame = std::move(frames_.front());
      frames_.pop_front();
      busy_ = true;
      lock.unlock();
      auto status = Write(frame);
      const std::size_t bytes = Bytes(frame);
      frame = {};
      lock.lock();
      busy_ = false;
      queued_bytes_ -= bytes;
      if (!status) {
        status_ = std::move(status);
        changed_.notify_all();
        return;
      }
      changed_.notify_all();
    }
  }

  FrameWriter& writer_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Frame> frames_;          // guarded by mutex_, as what follows
  std::size_t queued_bytes_ = 0;
  bool busy_ = false;
  Status status_;
  std::jthread thread_;               // last: it ends before what it uses
};

class LogWriter final : public Writer {
 public:
  LogWriter(std::filesystem::path folder, std::string source, WriterOptions options, Recovered recovered)
      : folder_(std::move(folder)), source_(std::move(source)), options_(options), tail_(std::move(recovered.tail)), next_(tail_.end) {
    options_.block_bytes = std::clamp<std::size_t>(options_.block_bytes, 256, kMaxGrownBlock / 2);
    if (recovered.writer != nullptr) {
      first_ = recovered.first;
      dictionary_ = DictionaryBuilder(recovered.dictionary);
      Use(std::move(recovered.writer));
      CloseIfFull();
    }
  }

  const Tail& tail() const override { return tail_; }
  std::size_t pending_bytes() const override { return sealed_bytes_ + block_.raw_bytes(); }

  Result<Position> Append(const Record& record) override {
    if (broken_) return BrokenFail();
    const std::size_t bytes = record.stream.size() + record.bytes.size() + record.key.size() + record.headers.size();
    if (bytes > kMaxRecordBytes) return Fail(Code::kInvalid, "a record of {} bytes is larger than the journal's {}", bytes, kMaxRecordBytes);
    TRY(EnsureSegment());
    ASSIGN(const Numbered numbered, NumberOf(record));
    const std::size_t bound = BlockBuilder::Bound(record);
    if (!block_.empty() && (block_.room() < bound || block_.restored_bytes() + bound > kMaxGrownBlock)) TRY(Seal());
    if (!block_.started()) block_.Start(next_, std::max(options_.block_bytes, bound));
    block_.Add(record, numbered);
    const Position position = next_;
    ++next_.value;
    if (block_.size() >= options_.block_bytes) TRY(Seal());
    return position;
  }

  Result<std::vector<BlockPtr>> Commit(const std::string& checkpoint) override {
    if (broken_) return BrokenFail();
    if (next_ == tail_.end && checkpoint == tail_.checkpoint) return std::vector<BlockPtr>{};
    if (checkpoint.size() > kMaxCheckpoint) return Fail(Code::kInvalid, "a checkpoint of {} bytes is larger than the journal's {}", checkpoint.size(), kMaxCheckpoint);
    TRY(EnsureSegment());
    if (!block_.empty()) TRY(Seal());
    TRY(OrBreak(queue_->Drain()));
    TRY(OrBreak(writer_->Commit(next_, checkpoint)));
    tail_ = {next_, checkpoint};
    sealed_bytes_ = kept_bytes_ = 0;
    keeps_ = true;
    CloseIfFull();
    return std::exchange(kept_, {});
  }

  Status Roll() override {
    if (broken_) return BrokenFail();
    NANO_CHECK(next_ == tail_.end && block_.empty());
    // A segment without records would give its successor its own name.
    if (writer_ != nullptr && tail_.end == first_) return {};
    queue_.reset();
    writer_.reset();
    TRY(EnsureSegment());
    return OrBreak(writer_->Commit(next_, tail_.checkpoint));
  }

 private:
  static tl::unexpected<Error> BrokenFail() {
    return Fail(Code::kUnavailable, "the journal could not be written before; open it again");
  }

  /// After a failure nothing more may be added: what is on disk is known only after it was opened again.
  Status OrBreak(Status status) {
    if (status) return status;
    broken_ = true;
    queue_.reset();
    writer_->CutBack();
    kept_.clear();
    return status;
  }

  void Use(std::unique_ptr<FrameWriter> writer) {
    queue_.reset();
    writer_ = std::move(writer);
    queue_ = std::make_unique<FrameQueue>(*writer_);
  }

  Status EnsureSegment() {
    if (writer_ != nullptr) return {};
    auto created = FrameWriter::Create(folder_, source_, next_);
    if (!created) {
      broken_ = true;
      return tl::make_unexpected(std::move(created).error());
    }
    first_ = next_;
    dictionary_ = DictionaryBuilder();
    last_stream_ = kNone;
    last_schemas_.clear();
    Use(*std::move(created));
    return {};
  }

  void CloseIfFull() {
    // A segment without records would give its successor its own name.
    if (static_cast<std::int64_t>(writer_->size()) < options_.segment_bytes || tail_.end == first_) return;
    queue_.reset();
    writer_.reset();
  }

  Status Seal() {
    auto block = block_.Finish(dictionary_.entries());
    sealed_bytes_ += block->raw_bytes();
    kept_bytes_ += block->stored_form().size();
    if (kept_bytes_ > options_.keep_bytes) {
      keeps_ = false;
      kept_.clear();
    }
    if (keeps_) kept_.push_back(block);
    return OrBreak(queue_->Push({.block = std::move(block)}));
  }

  Result<std::uint32_t> Enter(DictionaryBuilder::Kind kind, std::string_view text) {
    if (const std::uint32_t known = dictionary_.Find(kind, text); known != kNone) return known;
    const std::uint32_t number = dictionary_.Add(kind, text);
    if (number == kNone) return kNone;
    const auto& entries = *dictionary_.entries();
    // It is written before the block that is being made, whose first record comes next in the segment.
    const Position position = block_.empty() ? next_ : Position{next_.value - block_.count()};
    TRY(OrBreak(queue_->Push({.kind = kind, .number = number,
                              .text = kind == DictionaryBuilder::Kind::kStream ? entries.streams.back() : entries.schemas.back(),
                              .position = position})));
    return number;
  }

  Result<Numbered> NumberOf(const Record& record) {
    Numbered numbered;
    if (!record.stream.empty()) {
      if (last_stream_ != kNone && *dictionary_.entries()->streams[last_stream_] == record.stream) {
        numbered.stream = last_stream_;
      } else {
        ASSIGN(numbered.stream, Enter(DictionaryBuilder::Kind::kStream, record.stream));
        last_stream_ = numbered.stream;
      }
    }
    if (record.format != Format::kDebezium) return numbered;
    LastSchemas none;
    if (numbered.stream != kNone && numbered.stream >= last_schemas_.size()) last_schemas_.resize(numbered.stream + 1);
    LastSchemas& last = numbered.stream == kNone ? none : last_schemas_[numbered.stream];
    ASSIGN(numbered.value_schema, SchemaOf(record.bytes, last.value, numbered.value_schema_bytes));
    if (record.has_key) {
      ASSIGN(numbered.key_schema, SchemaOf(record.key, last.key, numbered.key_schema_bytes));
    }
    return numbered;
  }

  Result<std::uint32_t> SchemaOf(std::string_view message, std::uint32_t& last, std::size_t& bytes) {
    if (last != kNone) {
      const std::string& text = *dictionary_.entries()->schemas[last];
      if (message.starts_with(text)) {
        bytes = text.size();
        return last;
      }
    }
    const std::size_t end = InlineSchemaEnd(message);
    if (end < kMinSchemaText) return kNone;
    ASSIGN(const std::uint32_t number, Enter(DictionaryBuilder::Kind::kSchema, message.substr(0, end)));
    if (number == kNone) return kNone;
    last = number;
    bytes = end;
    return number;
  }

  struct LastSchemas {
    std::uint32_t value = kNone, key = kNone;
  };

  std::filesystem::path folder_;
  std::string source_;
  WriterOptions options_;
  Tail tail_;
  Position next_, first_;                       // of the next record; of the segment's first
  bool broken_ = false;
  DictionaryBuilder dictionary_;
  std::uint32_t last_stream_ = kNone;
  std::vector<LastSchemas> last_schemas_;       // by stream
  BlockBuilder block_;
  std::size_t sealed_bytes_ = 0, kept_bytes_ = 0;
  bool keeps_ = true;
  std::vector<BlockPtr> kept_;
  std::unique_ptr<FrameWriter> writer_;
  std::unique_ptr<FrameQueue> queue_;           // after the writer it uses
};

}  // namespace

Result<std::unique_ptr<Writer>> Writer::Open(const std::filesystem::path& folder, const std::string& source, const WriterOptions& options) {
  if (source.size() > kMaxSourceName) return Fail(Code::kInvalid, "the name of a source is longer than {} bytes", kMaxSourceName);
  TRY(io::MakeFolders(folder, "journal"));
  ASSIGN(auto recovered, Recover(folder, source));
  return std::make_unique<LogWriter>(folder, source, options, std::move(recovered));
}

}  // namespace nano::journal
