#include "client/core/uploads.h"

#include <utility>

namespace longwire::client::core {
namespace {
// More transfers than this never wait at once: a peer that says otherwise is not listened to.
constexpr std::size_t kMaxHalves = std::size_t{1} << 16;
}  // namespace

wire::Blob Uploads::name(std::uint64_t bytes) noexcept {
  wire::Blob blob;
  blob.transfer = next_transfer();
  blob.bytes = bytes;
  const auto wanted = static_cast<std::int64_t>(bytes);
  if (credit_.fetch_sub(wanted) >= wanted) {
    blob.mode = wire::BlobMode::kEager;
  } else {
    credit_.fetch_add(wanted);
    blob.mode = wire::BlobMode::kRendezvous;
  }
  return blob;
}

std::optional<Uploads::Waiting> Uploads::offer(session::TransferId transfer, Waiting upload) {
  const std::lock_guard lock(lock_);
  const auto found = halves_.find(transfer);
  if (over_) return upload;
  if (found == halves_.end()) {
    halves_[transfer].upload = std::move(upload);
    return std::nullopt;
  }
  if (found->second.verdict == Verdict::kRefused) upload.data = {};
  halves_.erase(found);
  return upload;
}

std::optional<Uploads::Waiting> Uploads::grant(session::TransferId transfer) {
  return decide(transfer, Verdict::kGranted);
}

std::optional<Uploads::Waiting> Uploads::refuse(session::TransferId transfer) {
  auto upload = decide(transfer, Verdict::kRefused);
  if (upload) upload->data = {};
  return upload;
}

std::optional<Uploads::Waiting> Uploads::decide(session::TransferId transfer, Verdict verdict) {
  const std::lock_guard lock(lock_);
  // A peer can only speak of transfers that it has been told of.
  if (transfer == 0 || transfer > last_transfer_) return std::nullopt;
  const auto found = halves_.find(transfer);
  if (found == halves_.end()) {
    if (halves_.size() < kMaxHalves) halves_[transfer].verdict = verdict;
    return std::nullopt;
  }
  if (found->second.verdict != Verdict::kNone) return std::nullopt;
  Waiting upload = std::move(found->second.upload);
  halves_.erase(found);
  return upload;
}

std::optional<Uploads::Waiting> Uploads::take_any() {
  const std::lock_guard lock(lock_);
  over_ = true;
  for (auto at = halves_.begin(); at != halves_.end();) {
    Half half = std::move(at->second);
    at = halves_.erase(at);
    if (half.verdict == Verdict::kNone) return std::move(half.upload);
  }
  return std::nullopt;
}

}  // namespace longwire::client::core
