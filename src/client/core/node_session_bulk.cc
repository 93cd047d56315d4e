// The bulk data of a session: uploads, downloads, lanes.
#include <algorithm>
#include <chrono>
#include <thread>

#include "base/thread.h"
#include "client/core/node_session_state.h"

namespace longwire::client::core {

using base::Error;
using base::ErrorCode;
using base::Status;

namespace {

// Puts the bytes of one download in place.
class DownloadSink final : public session::BulkSink {
 public:
  DownloadSink(std::span<std::byte> destination, std::function<void(bool whole)> on_end,
               std::shared_ptr<std::atomic<bool>> all_there, session::Pump& pump)
      : destination_(destination),
        on_end_(std::move(on_end)),
        all_there_(std::move(all_there)),
        pump_(pump) {}

 private:
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    return destination_.subspan(static_cast<std::size_t>(offset), bytes);
  }
  void received(std::uint64_t, std::size_t, bool complete) override {
    if (!complete) return;
    all_there_->store(true, std::memory_order_release);
    if (on_end_) on_end_(true);
    pump_.notify();
  }
  void aborted(const Error&) override {
    if (on_end_) on_end_(false);
  }

  const std::span<std::byte> destination_;
  const std::function<void(bool whole)> on_end_;
  const std::shared_ptr<std::atomic<bool>> all_there_;  // shared with the waiter
  session::Pump& pump_;
};

}  // namespace

wire::Blob NodeSession::make_blob(std::span<const std::byte> data) {
  if (data.size() <= session::kInlineBytes) return wire::Blob::inlined(data);
  return state_->uploads.name(data.size());
}

wire::Blob NodeSession::make_blob_for_later(std::uint64_t bytes) {
  return state_->uploads.name(bytes);
}

void NodeSession::start_upload(const wire::Blob& blob, std::span<const std::byte> data,
                               OnSent on_sent, OnSent on_taken) {
  if (blob.mode == wire::BlobMode::kInline) return on_sent({});
  if (lost()) {
    if (on_taken) on_taken(Error(ErrorCode::kClosed, "the session is lost"));
    return on_sent(Error(ErrorCode::kClosed, "the session is lost"));
  }
  if (count_thread_bytes()) [[unlikely]]
    thread_counters().bytes_sent += data.size();
  ensure_lanes();
  if (blob.mode == wire::BlobMode::kEager) {
    return send_upload(blob.transfer, data, std::move(on_sent), std::move(on_taken));
  }
  auto now = state_->uploads.offer(blob.transfer, {data, std::move(on_sent)});
  if (now) send_upload(blob.transfer, now->data, std::move(now->on_sent), nullptr);
}

// Empty data: the node refused the transfer, so there is nothing to send.
void NodeSession::send_upload(session::TransferId transfer, std::span<const std::byte> data,
                              OnSent on_sent, OnSent on_taken) {
  Status refused;
  if (lost()) refused = Error(ErrorCode::kClosed, "the session is lost");
  if (!refused.ok() || data.empty()) {
    if (on_taken) on_taken(refused);
    return on_sent(refused);
  }
  state_->bulk->send(transfer, 0, data, std::move(on_sent), std::move(on_taken));
  (void)flush();
}

namespace {

// What becomes of an upload that a thread waits for. Shared with the threads that send it, which
// may still be in notify() when that thread returns.
struct UploadOutcome {
  std::atomic<bool> taken{false};
  std::atomic<bool> received{false};
  Status status;
  std::unique_ptr<std::byte[]> copy;

  // Stops early when the copy is needed no more.
  void copy_from(std::span<const std::byte> data) noexcept {
    constexpr std::size_t kStep = std::size_t{256} << 10;
    copy.reset(new (std::nothrow) std::byte[data.size()]);
    if (!copy) return;
    for (std::size_t at = 0; at < data.size() && !received; at += kStep) {
      const auto part = data.subspan(at, std::min(kStep, data.size() - at));
      std::copy(part.begin(), part.end(), copy.get() + at);
    }
  }
};

}  // namespace

Status NodeSession::upload(const wire::Blob& blob, std::span<const std::byte> data) {
  if (blob.mode == wire::BlobMode::kInline) return {};
  const bool must_ask = blob.mode == wire::BlobMode::kRendezvous;
  if (resumes() && !must_ask && state_->uploads.retain(data.size())) {
    return upload_with_copy(blob, data);
  }
  const auto outcome = std::make_shared<UploadOutcome>();
  start_upload(blob, data, [this, outcome](const Status& status) {
    outcome->status = status;
    outcome->received.store(true, std::memory_order_release);
    notify();
  });
  const auto done = [&outcome] { return outcome->received.load(std::memory_order_acquire); };
  // Only where the node must say something is it waited for.
  LW_TRY(wait(done, base::Deadline::never(),
              must_ask || resumes() ? WaitMeter::For::kAnswer : WaitMeter::For::kLink));
  return outcome->status;
}

// The copy is made while the links take the bytes, and takes the place of `data` then.
Status NodeSession::upload_with_copy(const wire::Blob& blob, std::span<const std::byte> data) {
  State& s = *state_;
  const auto outcome = std::make_shared<UploadOutcome>();
  const auto received = [this, outcome, bytes = data.size()](const Status& status) {
    outcome->status = status;
    outcome->received.store(true, std::memory_order_release);
    state_->uploads.release(bytes);
    notify();
  };
  const auto taken = [this, outcome](const Status&) {
    outcome->taken.store(true, std::memory_order_release);
    notify();
  };
  start_upload(blob, data, received, taken);
  const auto is_received = [&] { return outcome->received.load(std::memory_order_acquire); };
  if (!is_received()) outcome->copy_from(data);
  if (outcome->copy) {
    const auto is_taken = [&] { return outcome->taken.load(std::memory_order_acquire); };
    LW_TRY(wait(is_taken, base::Deadline::never(), WaitMeter::For::kLink));
    if (!is_received() && s.bulk->rebase(blob.transfer, {outcome->copy.get(), data.size()})) {
      return {};
    }
  }
  // It has just been received, or is being sent again.
  LW_TRY(wait(is_received, base::Deadline::never(), WaitMeter::For::kLink));
  return outcome->status;
}

NodeSession::Download NodeSession::expect_download(std::span<std::byte> destination,
                                                   std::function<void(bool whole)> on_end) {
  Download download;
  download.all_there = std::make_shared<std::atomic<bool>>(true);
  download.blob.bytes = destination.size();
  if (destination.size() <= session::kInlineBytes || lost()) return download;
  if (count_thread_bytes()) [[unlikely]]
    thread_counters().bytes_received += destination.size();
  ensure_lanes();
  download.all_there->store(false);
  download.blob.transfer = state_->uploads.next_transfer();
  // The destination is ready: the node sends as soon as it has the bytes.
  download.blob.mode = wire::BlobMode::kEager;
  state_->bulk->expect(download.blob.transfer, download.blob.bytes,
                       std::make_shared<DownloadSink>(destination, std::move(on_end),
                                                      download.all_there, *state_->pump));
  return download;
}

void NodeSession::cancel_download(const Download& download) {
  if (download.blob.transfer != 0 && !state_->abandoned && state_->bulk) {
    state_->bulk->cancel(download.blob.transfer);
  }
}

// --- lanes ---

// All that are missing at once: each takes some round trips. REQUIRES: lanes_lock.
bool NodeSession::open_lanes(base::Nanoseconds timeout_ns) {
  State& s = *state_;
  const WaitMeter::Scope waiting(s.meter, WaitMeter::For::kLink, s.stream->sent());
  const auto deadline = base::Deadline::in(s.clock, timeout_ns);
  const std::size_t wanted = std::min<std::size_t>(s.welcome.lanes_wanted, session::kMaxLanes);
  std::vector<std::optional<base::Result<Connector::Opened>>> lanes(
      wanted - std::min(wanted, s.bulk->lanes()));
  const std::uint32_t first = s.next_lane;
  s.next_lane += static_cast<std::uint32_t>(lanes.size());
  const auto open = [&](std::size_t lane) {
    lanes[lane] =
        s.connector->open_lane(s.welcome, first + static_cast<std::uint32_t>(lane), deadline);
  };
  base::run_at_once("lw-connect", lanes.size(), open);
  bool all = true;
  std::uint32_t round_trips = 0;
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    if (lanes[lane]->ok()) round_trips = std::max(round_trips, (*lanes[lane])->round_trips);
    all = add_lane(std::move(*lanes[lane]), first + static_cast<std::uint32_t>(lane)) && all;
  }
  thread_counters().round_trips += round_trips;
  return all;
}

bool NodeSession::add_lane(base::Result<Connector::Opened> opened, std::uint32_t number) {
  State& s = *state_;
  if (!opened.ok()) {
    s.bulk->lane_never_came(number);
    return false;
  }
  SharedCounters counters = opened->link->counters();
  s.meter.opened_link(opened->round_trips);
  if (!s.bulk->add_lane(std::move(opened->link), number).ok()) return false;
  const std::lock_guard counting(s.counters_lock);
  s.lane_links.push_back(std::move(counters));
  return true;
}

// Best effort: without lanes bulk data goes as frames.
void NodeSession::ensure_lanes() {
  State& s = *state_;
  if (s.lanes_tried.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(s.lanes_lock);
  if (s.lanes_tried) return;
  const bool wanted = (s.welcome.features & session::kFeatureLanes) != 0;
  if (wanted && !open_lanes(s.lanes_timeout_ns) && resumes()) reopen_lanes();
  s.lanes_tried.store(true, std::memory_order_release);
}

// A lane is lost: opens what is missing, without haste and in the background.
void NodeSession::reopen_lanes() {
  State& s = *state_;
  if (lost() || s.lanes_wanted_again.exchange(true)) return;
  s.lane_service.post([this, &s] {
    s.lanes_wanted_again = false;
    for (int attempt = 0; attempt < kLaneAttempts && !lost(); ++attempt) {
      {
        const std::lock_guard lock(s.lanes_lock);
        if (open_lanes(kLaneAttemptTimeout)) return;
      }
      std::this_thread::sleep_for(std::chrono::nanoseconds(kLaneBackoff << attempt));
    }
  });
}

}  // namespace longwire::client::core
