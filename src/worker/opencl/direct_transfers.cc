#include "worker/opencl/direct_transfers.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace longwire::worker::opencl {

// --- a read ---

void LentRead::end() {
  Ref<Mem> mem;  // dropped without the lock
  core::Block copy;
  const std::lock_guard lock(mutex_);
  over_ = true;
  mem = std::move(mem_);
  copy = std::move(copy_);
}

bool LentRead::over() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

void LentRead::settle(session::BulkPort& bulk) {
  std::span<const std::byte> copy;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    std::memcpy(copy_.data(), bytes_.data(), bytes_.size());
    copy = copy_.bytes();
  }
  bulk.rebase(transfer_, copy);  // false: it has just ended
}

// --- a write ---

bool PlacedWrite::take(const core::Outbox::Turn&, const Queue::WaitingFinish& finish) {
  if (over_ || gate_ != nullptr) return false;
  finishes_.push_back(finish);
  return true;
}

void PlacedWrite::hold(std::shared_ptr<Gate> gate) {
  {
    const auto turn = services_.outbox.turn();
    if (!over_) gate_.swap(gate);
  }
  if (gate) gate->open(CL_COMPLETE);
}

void PlacedWrite::on_placed(std::size_t, bool last) {
  if (last) end();
}

void PlacedWrite::on_chunk(std::uint64_t, std::size_t, core::Block, bool) {
  LW_CHECK(false);  // place() always has one
}

// As natively where a write fails half way: what the buffer holds is undefined.
void PlacedWrite::on_aborted(const base::Error&) { end(); }

void PlacedWrite::end() {
  Ref<Queue> queue;  // dropped without the outbox in hand, as the others
  Ref<Mem> mem;
  std::shared_ptr<Gate> gate;
  {
    auto turn = services_.outbox.turn();
    over_ = true;
    queue = std::move(queue_);
    mem = std::move(mem_);
    gate = std::move(gate_);
    services_.uploads.consumed(blob_, turn);
    queue->over = std::max(queue->over, number_);
    for (const Queue::WaitingFinish& finish : finishes_)
      completions_.answer(turn, *queue, finish);
  }
  services_.outbox.flush();
  if (gate) gate->open(CL_COMPLETE);
}

// --- transfers without the driver ---

std::byte* Transfers::at_hand(const core::Outbox::Turn&, const SessionState::Command& command,
                              const BufferRange* range, std::uint64_t bytes) const {
  if (range == nullptr || !command.wait.empty() || command.event_handle != 0) return nullptr;
  return command.queue->idle() ? range->mem->shared_at(range->offset, bytes) : nullptr;
}

bool Transfers::read_at_once(const SessionState::Command& command, const wire::Blob& download,
                             wire::Token token, const BufferRange* range) {
  auto turn = services().outbox.turn();
  const std::byte* const from = at_hand(turn, command, range, download.bytes);
  if (from == nullptr) return false;
  turn.reply(token, CL_SUCCESS,
             msg::EnqueueReadBuffer::Reply{{from, static_cast<std::size_t>(download.bytes)}},
             CL_OUT_OF_RESOURCES);
  return true;
}

// Only this thread gives the queue anything to do: it stays idle without the turn.
bool Transfers::write_at_once(const SessionState::Command& command, const wire::Blob& data,
                              const BufferRange* range) {
  std::byte* const to = at_hand(services().outbox.turn(), command, range, data.bytes);
  if (to != nullptr) std::memcpy(to, data.inline_data.data(), data.inline_data.size());
  return to != nullptr;
}

bool Transfers::lend(const SessionState::Command& command, const wire::Blob& download,
                     wire::Token token, const BufferRange* range) {
  const std::byte* const from = at_hand(services().outbox.turn(), command, range, download.bytes);
  if (from == nullptr || services().bulk.lanes() == 0) return false;  // frames: see send_bytes()
  Queue& queue = *command.queue;
  std::erase_if(queue.lent, [](const auto& read) { return read->over(); });
  std::uint64_t lent_bytes = download.bytes;
  for (const auto& read : queue.lent)
    lent_bytes += read->size();
  if (lent_bytes > kMostLentBytes) return false;
  core::Block copy = services().staging.acquire(download.bytes);
  if (!copy) return false;
  const std::span bytes(from, static_cast<std::size_t>(download.bytes));
  const auto lent =
      std::make_shared<LentRead>(download.transfer, range->mem, bytes, std::move(copy));
  queue.lent.push_back(lent);
  const std::uint64_t read = completions().read_started(queue);
  services().bulk.send(
      download.transfer, 0, bytes, [lent](const base::Status&) { lent->end(); },
      [this, token, read, its = Ref<Queue>(&queue)](const base::Status& sent) {
        reply_read(*its, read, token, sent.ok() ? CL_SUCCESS : CL_OUT_OF_RESOURCES);
      });
  return true;
}

bool Transfers::place(const SessionState::Command& command, const wire::Blob& data,
                      const BufferRange* range, base::Status* status) {
  std::byte* const to = at_hand(services().outbox.turn(), command, range, data.bytes);
  if (to == nullptr || !can_stream(command)) return false;
  Queue& queue = *command.queue;
  ++queue.given;
  queue.placed =
      std::make_shared<PlacedWrite>(services(), completions(), queue, range->mem, to, data);
  *status = services().uploads.stream(data, queue.placed);
  if (!status->ok()) queue.placed.reset();  // nobody will call it; the session ends
  return true;
}

cl_int Transfers::make_way(Queue& queue, SessionState::Access access) {
  if (queue.placed) {
    if (const cl_int status = hold_behind_placed(queue); status != CL_SUCCESS) return status;
  }
  if (access == SessionState::Access::kReads) return CL_SUCCESS;
  for (const auto& read : queue.lent)
    read->settle(services().bulk);
  queue.lent.clear();
  return CL_SUCCESS;
}

cl_int Transfers::hold_behind_placed(Queue& queue) {
  const std::shared_ptr<PlacedWrite> placed = queue.placed;
  if (!placed->over(services().outbox.turn())) {
    SessionState::Command marker;
    marker.queue = &queue;
    const auto gate = make_gate(marker, &marker.status);
    if (!marker.ok()) return marker.status;
    const cl_event held = gate->native();
    cl_event native = nullptr;
    marker.fail(api().clEnqueueMarkerWithWaitList(queue.native, 1, &held, &native));
    if (!marker.ok()) return marker.status;
    state_.started(marker, state_.make_event(marker, native));
    placed->hold(gate);
  }
  queue.placed.reset();
  return CL_SUCCESS;
}

}  // namespace longwire::worker::opencl
