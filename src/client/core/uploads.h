// Uploads: what this process sends beside the command stream: staging credit, and the transfers
// that wait for the node's grant. session/bulk.h says how eager and rendezvous work.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include "base/result.h"
#include "session/bulk.h"
#include "wire/blob.h"

namespace longwire::client::core {

// A blocking write returns once the links have its bytes; until the node has them a copy is kept
// here. Larger writes, and those for which there is no room, wait for the node instead, which costs
// them a round trip at their end.
inline constexpr std::size_t kMaxRetainedUploadBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxRetainedBytes = std::size_t{64} << 20;

class Uploads {
 public:
  using OnSent = std::function<void(base::Status)>;
  struct Waiting {
    std::span<const std::byte> data;
    OnSent on_sent;
  };

  void set_credit(std::uint64_t bytes) noexcept { credit_ = static_cast<std::int64_t>(bytes); }
  void add_credit(std::uint64_t bytes) noexcept { credit_ += static_cast<std::int64_t>(bytes); }

  // A copy of so many bytes may be kept until the node has them (see kMaxRetainedBytes); given back
  // by release().
  bool retain(std::size_t bytes) noexcept {
    if (bytes > kMaxRetainedUploadBytes) return false;
    if (retained_.fetch_add(bytes) + bytes <= kMaxRetainedBytes) return true;
    release(bytes);
    return false;
  }
  void release(std::size_t bytes) noexcept { retained_ -= bytes; }

  // Names a transfer: eager where there is credit for all of it, else rendezvous.
  wire::Blob name(std::uint64_t bytes) noexcept;

  // The data of a rendezvous transfer. Gives it back when its grant has come before (send it now);
  // otherwise keeps it for grant().
  std::optional<Waiting> offer(session::TransferId transfer, Waiting upload);
  // The node is ready: what to send, or nothing when the data is not there yet.
  std::optional<Waiting> grant(session::TransferId transfer);
  // The node wants none of it (any more).
  std::optional<Waiting> refuse(session::TransferId transfer);
  // The session is over: hands back one after the other. Later offers come straight back.
  std::optional<Waiting> take_any();

 private:
  // A transfer with only one half: data without a grant, or a verdict without data.
  enum class Verdict { kNone, kGranted, kRefused };
  struct Half {
    Waiting upload;
    Verdict verdict = Verdict::kNone;
  };
  std::optional<Waiting> decide(session::TransferId transfer, Verdict verdict);

  std::atomic<std::int64_t> credit_{0};
  std::atomic<std::size_t> retained_{0};
  std::atomic<session::TransferId> last_transfer_{0};
  std::mutex lock_;
  bool over_ = false;
  std::unordered_map<session::TransferId, Half> halves_;

  friend class NodeSession;
  session::TransferId next_transfer() noexcept { return ++last_transfer_; }
};

}  // namespace longwire::client::core
