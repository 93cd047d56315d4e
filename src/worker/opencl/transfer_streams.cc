#include "worker/opencl/transfer_streams.h"

#include <algorithm>
#include <cstring>

namespace longwire::worker::opencl {
namespace {

constexpr std::size_t kReadPieceBytes = std::size_t{2} << 20;
constexpr std::size_t kReadPiecesUnderWay = 4;

// std::function copies its target: blocks go in shared.
std::shared_ptr<core::Block> shared(core::Block block) {
  return std::make_shared<core::Block>(std::move(block));
}

}  // namespace

// --- what both directions share ------------------------------------------------------------------

Transfers::Stream::Stream(Transfers& owner, const SessionState::Command& command,
                          const wire::Blob& blob, std::shared_ptr<Gate> its_gate,
                          cl_command_queue hidden)
    : gate(std::move(its_gate)),
      owner_(owner),
      api_(owner.api()),
      queue_(command.queue),
      blob_(blob),
      hidden_(hidden) {}

cl_int Transfers::Stream::enqueue_start(const SessionState::Command& command, cl_event* event) {
  return api_.clEnqueueMarkerWithWaitList(queue_->native, command.wait_count(),
                                          command.wait_events(), event);
}

cl_int Transfers::Stream::enqueue_end(const SessionState::Command&, cl_event* event) {
  const cl_event opened = gate->native();
  // In an out-of-order queue a barrier would hold back what the program has not asked to hold.
  return queue_->in_order ? api_.clEnqueueBarrierWithWaitList(queue_->native, 1, &opened, event)
                          : api_.clEnqueueMarkerWithWaitList(queue_->native, 1, &opened, event);
}

void Transfers::Stream::watch_chunk(cl_event native, std::function<void(cl_int)> done) {
  const Ref<Event> chunk(new Event(api_, 0));
  chunk->native = native;
  chunk->afterwards = [self = shared_from_this(), native, done = std::move(done)](cl_int status) {
    self->note_times(native);
    done(status);
  };
  owner_.completions().watch(*chunk);
  api_.clFlush(hidden_);
}

// The program's event takes its end from the last chunk.
void Transfers::Stream::note_times(cl_event chunk) {
  if (!queue_->profiling) return;
  cl_ulong ended = 0;
  if (api_.clGetEventProfilingInfo(chunk, CL_PROFILING_COMMAND_END, sizeof ended, &ended,
                                   nullptr) != CL_SUCCESS)
    return;
  const std::lock_guard lock(mutex_);
  last_end_ = std::max<std::uint64_t>(last_end_, ended);
}

void Transfers::Stream::note_start(cl_event start) {
  if (!queue_->profiling) return;
  constexpr cl_profiling_info kTimes[] = {CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_SUBMIT,
                                          CL_PROFILING_COMMAND_END};
  for (std::size_t i = 0; i < std::size(kTimes); ++i) {
    cl_ulong time = 0;
    api_.clGetEventProfilingInfo(start, kTimes[i], sizeof time, &time, nullptr);
    times_[i] = time;
  }
}

void Transfers::Stream::end(cl_int status) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;  // the event may be reporting its times already
    times_[3] = times_[4] = last_end_;        // 0, no native chunk: those of the event itself
    if (queue_->profiling) event->replaced_times = times_;
  }
  if (status < 0) event->replaced_status = status;
  gate->open(status < 0 ? status : CL_COMPLETE);
  if (status < 0) owner_.completions().note_failure();
}

// --- reads ---------------------------------------------------------------------------------------

Transfers::StreamedRead::StreamedRead(Transfers& owner, const SessionState::Command& command,
                                      const wire::Blob& blob, std::shared_ptr<Gate> its_gate,
                                      cl_command_queue hidden, wire::Token token,
                                      const Shape& shape, const NativeRead& native)
    : Stream(owner, command, blob, std::move(its_gate), hidden),
      token_(token),
      shape_(shape),
      native_(native),
      read_number_(owner.completions().read_started(*command.queue)) {}

void Transfers::StreamedRead::withdraw() {
  auto turn = owner_.services().outbox.turn();
  owner_.completions().read_replied(turn, *queue_, read_number_);
}

void Transfers::StreamedRead::begin(cl_int status) {
  if (status < 0) {
    const std::lock_guard lock(mutex_);
    failed_ = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  }
  go_on();
}

// One thread at a time issues; another that comes leaves word (drivers and links may call back from
// inside the call).
void Transfers::StreamedRead::go_on() {
  std::unique_lock lock(mutex_);
  again_ = true;
  if (issuing_) return;
  issuing_ = true;
  while (std::exchange(again_, false)) {
    while (failed_ == CL_SUCCESS && next_ < blob_.bytes && under_way_ < kReadPiecesUnderWay) {
      const Piece piece = shape_.piece(next_, kReadPieceBytes);
      next_ += piece.bytes;
      ++under_way_;
      lock.unlock();
      issue(piece);
      lock.lock();
    }
  }
  issuing_ = false;
  const bool over = under_way_ == 0 && (failed_ != CL_SUCCESS || next_ >= blob_.bytes);
  const bool first = over && !std::exchange(replied_, true);
  const cl_int status = failed_;
  lock.unlock();
  if (!first) return;
  end(status);
  owner_.reply_read(*queue_, read_number_, token_, status);
}

void Transfers::StreamedRead::issue(const Piece& piece) {
  core::Block block = owner_.services().staging.acquire(piece.bytes);
  if (!block) return chunk_over(CL_OUT_OF_HOST_MEMORY);
  cl_event native = nullptr;
  const cl_int status = native_(hidden_, piece, block.data(), 0, nullptr, &native);
  if (status != CL_SUCCESS) return chunk_over(status);
  watch_chunk(native, [this, self = shared_from_this(), offset = piece.offset,
                       data = shared(std::move(block))](cl_int read) {
    if (read < 0) return chunk_over(read);
    note_read(data->size());
    owner_.send_bytes(blob_.transfer, offset, data, [this, self](const base::Status& sent) {
      chunk_over(sent.ok() ? CL_SUCCESS : CL_OUT_OF_RESOURCES);
    });
  });
}

// The program's event needs the device's part only.
void Transfers::StreamedRead::note_read(std::size_t bytes) {
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    read_ += bytes;
    all = read_ == blob_.bytes;
  }
  if (all) end(CL_SUCCESS);
}

void Transfers::StreamedRead::chunk_over(cl_int status) {
  {
    const std::lock_guard lock(mutex_);
    --under_way_;
    if (status != CL_SUCCESS && failed_ == CL_SUCCESS) failed_ = status;
  }
  go_on();
}

// --- writes --------------------------------------------------------------------------------------

Transfers::StreamedWrite::StreamedWrite(Transfers& owner, const SessionState::Command& command,
                                        const wire::Blob& blob, std::shared_ptr<Gate> its_gate,
                                        cl_command_queue hidden, const BufferRange& range)
    : Stream(owner, command, blob, std::move(its_gate), hidden), range_(range) {}

cl_int Transfers::StreamedWrite::enqueue_start(const SessionState::Command& command,
                                               cl_event* event) {
  if (queue_->device->host_unified) {
    cl_int status = CL_SUCCESS;
    void* const at = api_.clEnqueueMapBuffer(
        queue_->native, range_.mem->native, CL_FALSE, CL_MAP_WRITE_INVALIDATE_REGION, range_.offset,
        blob_.bytes, command.wait_count(), command.wait_events(), event, &status);
    if (status == CL_SUCCESS) {
      mapped_ = static_cast<std::byte*>(at);
      return status;
    }
  }
  return Stream::enqueue_start(command, event);
}

cl_int Transfers::StreamedWrite::enqueue_end(const SessionState::Command& command,
                                             cl_event* event) {
  if (mapped_ == nullptr) return Stream::enqueue_end(command, event);
  const cl_event opened = gate->native();
  return api_.clEnqueueUnmapMemObject(queue_->native, range_.mem->native, mapped_, 1, &opened,
                                      event);
}

base::Status Transfers::StreamedWrite::expect_eager() {
  return eager() ? owner_.services().uploads.stream(blob_, self()) : base::Status();
}

void Transfers::StreamedWrite::begin(cl_int status) {
  if (status < 0 && !eager()) owner_.services().uploads.refuse(blob_, status);
  std::vector<Chunk> early;
  bool given_up = false;
  {
    const std::lock_guard lock(mutex_);
    given_up = finished_;
    if (status < 0) {
      failed_ = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
      mapped_ = nullptr;  // it never was
    }
    begun_ = true;
    early.swap(early_);
  }
  if (given_up) unmap_aside();
  if (status < 0) finish(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  if (eager()) {
    for (Chunk& chunk : early)
      write(chunk.offset, std::move(chunk.block));
  } else if (status >= 0 && !owner_.services().uploads.stream(blob_, self()).ok()) {
    finish(CL_OUT_OF_RESOURCES);
  }
}

std::span<std::byte> Transfers::StreamedWrite::place(std::uint64_t offset, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!begun_ || mapped_ == nullptr || finished_) return {};
  return {mapped_ + offset, bytes};
}

void Transfers::StreamedWrite::on_placed(std::size_t bytes, bool) { chunk_over(CL_SUCCESS, bytes); }

void Transfers::StreamedWrite::on_chunk(std::uint64_t offset, std::size_t bytes, core::Block chunk,
                                        bool) {
  if (!chunk) return chunk_over(CL_OUT_OF_HOST_MEMORY, bytes);
  {
    const std::lock_guard lock(mutex_);
    if (!begun_) {
      early_.push_back({offset, std::move(chunk)});
      return;
    }
  }
  write(offset, std::move(chunk));
}

void Transfers::StreamedWrite::write(std::uint64_t offset, core::Block chunk) {
  const std::size_t bytes = chunk.size();
  if (mapped_ != nullptr) {
    {
      const std::lock_guard copying(copy_mutex_);
      if (!over()) std::memcpy(mapped_ + offset, chunk.data(), bytes);
    }
    chunk.reset();
    return chunk_over(CL_SUCCESS, bytes);
  }
  if (over()) return chunk_over(CL_SUCCESS, bytes);
  cl_event native = nullptr;
  const cl_int status =
      api_.clEnqueueWriteBuffer(hidden_, range_.mem->native, CL_FALSE, range_.offset + offset,
                                bytes, chunk.data(), 0, nullptr, &native);
  if (status != CL_SUCCESS) return chunk_over(status, bytes);
  watch_chunk(native, [this, bytes, held = shared(std::move(chunk))](cl_int written) {
    held->reset();
    chunk_over(written, bytes);
  });
}

void Transfers::StreamedWrite::on_aborted(const base::Error&) { finish(CL_OUT_OF_RESOURCES); }

void Transfers::StreamedWrite::chunk_over(cl_int status, std::size_t bytes) {
  cl_int result = CL_SUCCESS;
  {
    const std::lock_guard lock(mutex_);
    if (status < 0 && failed_ == CL_SUCCESS) failed_ = status;
    written_ += bytes;
    if (written_ < blob_.bytes) return;
    result = failed_;
  }
  const bool second = --credit_waits_for_ == 0;
  finish(result);
  if (second) owner_.services().uploads.consumed(blob_);
}

bool Transfers::StreamedWrite::over() {
  const std::lock_guard lock(mutex_);
  return finished_;
}

void Transfers::StreamedWrite::finish(cl_int status) {
  bool begun = false;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
    begun = begun_;
  }
  if (status < 0 && begun) unmap_aside();
  end(status);
}

// The unmap behind the gate will not run.
void Transfers::StreamedWrite::unmap_aside() {
  if (mapped_ == nullptr) return;
  const std::lock_guard nobody_copies(copy_mutex_);
  api_.clEnqueueUnmapMemObject(hidden_, range_.mem->native, mapped_, 0, nullptr, nullptr);
  api_.clFlush(hidden_);
}

void Transfers::StreamedWrite::reported(core::Outbox::Turn& turn) {
  if (--credit_waits_for_ == 0) owner_.services().uploads.consumed(blob_, turn);
}

}  // namespace longwire::worker::opencl
