// Who waits for which reply. Entries are linked in, not copied: a waiting thread's is on its stack.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/result.h"
#include "wire/frame.h"
#include "wire/reader.h"

namespace longwire::client::core {

inline constexpr std::size_t kMaxPendingReplies = std::size_t{1} << 16;

// The handler runs on the pumping thread (or on the thread that noticed the loss of the session)
// exactly once.
struct ReplyView {
  std::int32_t status;      // the API's own; meaningless when lost
  wire::Reader* body;       // null when lost
  const base::Error* lost;  // null when answered
};
using ReplyHandler = std::function<void(const ReplyView&)>;

struct PendingReply {
  wire::Token token = 0;
  const ReplyHandler* handler = nullptr;
  PendingReply* next = nullptr;
  std::atomic<bool> done{false};  // the handler has run; its thread touches the entry no more
  bool is_owned = false;          // on the heap: deleted once its handler has run
  ReplyHandler owned;
};

class ReplyTable {
 public:
  // Gives the entry its token. False: there are kMaxPendingReplies already.
  bool add(PendingReply& pending) noexcept;
  // Takes an entry out; null where there is none (the peer made the token up, or it is taken).
  PendingReply* take(wire::Token token) noexcept;
  PendingReply* take_any() noexcept;

  std::mutex& mutex() noexcept { return lock_; }  // for fork: held while the process is copied

 private:
  static constexpr std::size_t kBuckets = 256;
  PendingReply*& bucket(wire::Token token) noexcept { return buckets_[token % kBuckets]; }

  std::mutex lock_;
  std::array<PendingReply*, kBuckets> buckets_{};
  std::size_t count_ = 0;
  wire::Token last_token_ = 0;
};

// Runs the handler of an entry that has been taken out, and ends the entry.
void complete(PendingReply& pending, const ReplyView& reply);

}  // namespace longwire::client::core
