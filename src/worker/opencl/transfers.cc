#include "worker/opencl/transfers.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace longwire::worker::opencl {
namespace {

constexpr std::size_t kReadChunkBytes = std::size_t{4} << 20;
constexpr std::size_t kReadChunksUnderWay = 4;

// std::function copies its target: blocks go in shared.
std::shared_ptr<core::Block> shared(core::Block block) {
  return std::make_shared<core::Block>(std::move(block));
}

}  // namespace

Gate::~Gate() {
  open(CL_OUT_OF_RESOURCES);
  api_.clReleaseEvent(native_);
}

void Gate::open(cl_int status) {
  if (!opened_.exchange(true)) api_.clSetUserEventStatus(native_, status);
}

// What both directions of a streamed transfer share. Kept alive by its callbacks.
struct Transfers::Stream : std::enable_shared_from_this<Transfers::Stream> {
  Stream(Transfers& owner_, const SessionState::Command& command, const wire::Blob& blob_,
         BufferRange range_, std::shared_ptr<Gate> gate_, cl_command_queue hidden_)
      : owner(owner_),
        api(owner_.api()),
        queue(command.queue),
        blob(blob_),
        range(std::move(range_)),
        gate(std::move(gate_)),
        hidden(hidden_) {}
  virtual ~Stream() = default;

  // The start marker has completed with `status`. Callback thread.
  virtual void begin(cl_int status) = 0;

  // Watches one native chunk; `done` runs when it is complete.
  void watch_chunk(cl_event native, std::function<void(cl_int)> done) {
    const Ref<Event> chunk(new Event(api, 0));
    chunk->native = native;
    chunk->afterwards = [self = shared_from_this(), native, done = std::move(done)](cl_int status) {
      self->note_times(native);
      done(status);
    };
    owner.completions().watch(*chunk);
    api.clFlush(hidden);
  }
  // The program's event takes its end from the last chunk.
  void note_times(cl_event chunk) {
    if (!queue->profiling) return;
    cl_ulong ended = 0;
    if (api.clGetEventProfilingInfo(chunk, CL_PROFILING_COMMAND_END, sizeof ended, &ended,
                                    nullptr) != CL_SUCCESS)
      return;
    const std::lock_guard lock(mutex);
    last_end = std::max<std::uint64_t>(last_end, ended);
  }
  void note_start(cl_event marker) {
    if (!queue->profiling) return;
    constexpr cl_profiling_info kTimes[] = {CL_PROFILING_COMMAND_QUEUED,
                                            CL_PROFILING_COMMAND_SUBMIT, CL_PROFILING_COMMAND_END};
    for (std::size_t i = 0; i < std::size(kTimes); ++i) {
      cl_ulong time = 0;
      api.clGetEventProfilingInfo(marker, kTimes[i], sizeof time, &time, nullptr);
      times[i] = time;
    }
  }
  // Lets the program's event complete.
  void end(cl_int status) {
    if (queue->profiling) {
      const std::lock_guard lock(mutex);
      times[3] = times[4] = std::max(last_end, times[2]);
      event->replaced_times = times;
      event->has_replaced_times = true;
    }
    if (status < 0) event->replaced_status = status;
    gate->open(status < 0 ? status : CL_COMPLETE);
    if (status < 0) owner.completions().note_failure();
  }

  Transfers& owner;
  const NativeApi& api;
  const Ref<Queue> queue;
  const wire::Blob blob;
  const BufferRange range;
  const std::shared_ptr<Gate> gate;  // shared with the list that gives up
  const cl_command_queue hidden;
  Ref<Event> event;  // the program's
  std::mutex mutex;
  EventTimes times{};
  std::uint64_t last_end = 0;
};

// --- reads ---

base::Status Transfers::read(SessionState::Command command, const wire::Blob& download,
                             wire::Token token, const NativeRead& native,
                             const BufferRange* range) {
  const bool is_inline = download.transfer == 0;
  if (is_inline && download.bytes > session::kInlineBytes)
    return base::Error(base::ErrorCode::kWireFault, "an inline read that is too large");
  if (!command.ok()) {
    read_failed(command, token);
  } else if (is_inline) {
    read_inline(command, download, token, native);
  } else if (range != nullptr && download.bytes > kStagedBytes && can_stream(command)) {
    read_streamed(command, download, token, *range);
  } else {
    read_staged(command, download, token, native);
  }
  return {};
}

void Transfers::read_failed(const SessionState::Command& command, wire::Token token) {
  state_.not_started(command);
  services().outbox.turn().reply(token, command.status);
}

void Transfers::read_inline(SessionState::Command& command, const wire::Blob& download,
                            wire::Token token, const NativeRead& native) {
  core::Block block = services().staging.acquire(download.bytes);
  cl_event event = nullptr;
  if (!block) command.fail(CL_OUT_OF_HOST_MEMORY);
  if (command.ok()) {
    command.fail(native(command.queue->native, block.data(), command.wait_count(),
                        command.wait_events(), &event));
  }
  if (!command.ok()) return read_failed(command, token);
  const auto made = state_.make_event(command, event);
  made->in_turn = [token, data = shared(std::move(block))](core::Outbox::Turn& turn,
                                                           cl_int status) {
    if (status < 0) return turn.reply(token, status);
    turn.reply(token, CL_SUCCESS, msg::EnqueueReadBuffer::Reply{data->bytes()},
               CL_OUT_OF_RESOURCES);
  };
  state_.started(command, made);
}

void Transfers::read_staged(SessionState::Command& command, const wire::Blob& download,
                            wire::Token token, const NativeRead& native) {
  core::Block block;
  if (download.bytes <= kMaxStagedBytes) block = services().staging.acquire(download.bytes);
  cl_event event = nullptr;
  if (!block) command.fail(CL_OUT_OF_HOST_MEMORY);
  if (command.ok()) {
    command.fail(native(command.queue->native, block.data(), command.wait_count(),
                        command.wait_events(), &event));
  }
  if (!command.ok()) return read_failed(command, token);
  const auto made = state_.make_event(command, event);
  const std::uint64_t read = completions().read_started(*command.queue);
  const auto reply = [this, token, read, queue = Ref<Queue>(command.queue)](cl_int status) {
    reply_read(*queue, read, token, status);
  };
  made->afterwards = [this, reply, transfer = download.transfer,
                      data = shared(std::move(block))](cl_int status) {
    if (status < 0) return reply(status);
    send_bytes(transfer, 0, data->bytes(), [reply, data](base::Status sent) {
      data->reset();
      reply(sent.ok() ? CL_SUCCESS : CL_OUT_OF_RESOURCES);
    });
  };
  state_.started(command, made);
}

// Without lanes the bytes go as frames, and sending waits for the client to read: never on a thread
// of the driver's, which may hold a lock that the dispatch thread needs.
void Transfers::send_bytes(session::TransferId transfer, std::uint64_t offset,
                           std::span<const std::byte> data,
                           std::function<void(base::Status)> on_sent) {
  session::BulkPort& bulk = services().bulk;
  if (bulk.lanes() > 0) return bulk.send(transfer, offset, data, std::move(on_sent));
  const bool runs = services().mirrors.run(
      [&bulk, transfer, offset, data, on_sent] { bulk.send(transfer, offset, data, on_sent); });
  if (!runs) on_sent(base::Error(base::ErrorCode::kLimit, "no thread to send from"));
}

void Transfers::reply_read(Queue& queue, std::uint64_t read, wire::Token token, cl_int status) {
  {
    auto turn = services().outbox.turn();
    turn.reply(token, status, msg::EnqueueReadBuffer::Reply{}, CL_OUT_OF_RESOURCES);
    completions().read_replied(turn, queue, read);
  }
  services().outbox.flush();
}

// Reads chunk after chunk, a few at once, and sends each as it comes.
class Transfers::StreamedRead final : public Stream {
 public:
  StreamedRead(Transfers& owner, const SessionState::Command& command, const wire::Blob& blob,
               const BufferRange& range, std::shared_ptr<Gate> gate, cl_command_queue hidden,
               wire::Token token)
      : Stream(owner, command, blob, range, std::move(gate), hidden),
        token_(token),
        read_number_(owner.completions().read_started(*command.queue)) {}
  // It never came to begin: somebody else replies.
  void withdraw() {
    auto turn = owner.services().outbox.turn();
    owner.completions().read_replied(turn, *queue, read_number_);
  }

  void begin(cl_int status) override {
    if (status < 0) fail(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
    go_on();
  }

 private:
  // One thread at a time issues; another that comes leaves word (drivers and links may call back
  // from inside the call).
  void go_on() {
    std::unique_lock lock(mutex);
    again_ = true;
    if (issuing_) return;
    issuing_ = true;
    while (std::exchange(again_, false)) {
      while (failed_ == CL_SUCCESS && next_ < blob.bytes && under_way_ < kReadChunksUnderWay) {
        const std::uint64_t offset = next_;
        const auto bytes = std::min<std::uint64_t>(kReadChunkBytes, blob.bytes - offset);
        next_ += bytes;
        ++under_way_;
        lock.unlock();
        issue(offset, static_cast<std::size_t>(bytes));
        lock.lock();
      }
    }
    issuing_ = false;
    const bool over = under_way_ == 0 && (failed_ != CL_SUCCESS || next_ >= blob.bytes);
    const bool first = over && !std::exchange(replied_, true);
    const cl_int status = failed_;
    lock.unlock();
    if (!first) return;
    end(status);
    owner.reply_read(*queue, read_number_, token_, status);
  }

  void issue(std::uint64_t offset, std::size_t bytes) {
    core::Block block = owner.services().staging.acquire(bytes);
    if (!block) return chunk_over(CL_OUT_OF_HOST_MEMORY, 0);
    cl_event native = nullptr;
    const cl_int status =
        api.clEnqueueReadBuffer(hidden, range.mem->native, CL_FALSE, range.offset + offset, bytes,
                                block.data(), 0, nullptr, &native);
    if (status != CL_SUCCESS) return chunk_over(status, 0);
    watch_chunk(native, [this, self = shared_from_this(), offset,
                         data = shared(std::move(block))](cl_int read) {
      if (read < 0) return chunk_over(read, 0);
      note_read(data->size());
      owner.send_bytes(blob.transfer, offset, data->bytes(), [this, self, data](base::Status sent) {
        const std::size_t size = data->size();
        data->reset();
        chunk_over(sent.ok() ? CL_SUCCESS : CL_OUT_OF_RESOURCES, size);
      });
    });
  }
  // The program's event needs the device's part only.
  void note_read(std::size_t bytes) {
    bool all = false;
    {
      const std::lock_guard lock(mutex);
      read_ += bytes;
      all = read_ == blob.bytes;
    }
    if (all) end(CL_SUCCESS);
  }
  void chunk_over(cl_int status, std::size_t) {
    {
      const std::lock_guard lock(mutex);
      --under_way_;
      if (status != CL_SUCCESS && failed_ == CL_SUCCESS) failed_ = status;
    }
    go_on();
  }
  void fail(cl_int status) {
    const std::lock_guard lock(mutex);
    failed_ = status;
  }

  const wire::Token token_;
  const std::uint64_t read_number_;
  std::uint64_t next_ = 0;
  std::uint64_t read_ = 0;
  std::size_t under_way_ = 0;
  cl_int failed_ = CL_SUCCESS;
  bool issuing_ = false;
  bool again_ = false;
  bool replied_ = false;
};

void Transfers::read_streamed(SessionState::Command& command, const wire::Blob& download,
                              wire::Token token, const BufferRange& range) {
  cl_int status = CL_SUCCESS;
  const auto gate = make_gate(command, &status);
  cl_command_queue hidden = command.queue->context->hidden_queue(*command.queue->device);
  if (hidden == nullptr) command.fail(CL_OUT_OF_RESOURCES);
  command.fail(status);
  if (command.ok()) {
    const auto stream =
        std::make_shared<StreamedRead>(*this, command, download, range, gate, hidden, token);
    if (enqueue_stream(command, stream)) return;
    stream->withdraw();
  }
  read_failed(command, token);
}

// --- writes ---

base::Status Transfers::write(SessionState::Command command, const wire::Blob& data,
                              const NativeWrite& native, const BufferRange* range) {
  const bool is_inline = data.transfer == 0;
  if (is_inline && data.inline_data.size() != data.bytes)
    return base::Error(base::ErrorCode::kWireFault, "an inline write without its data");
  if (!command.ok()) {
    services().uploads.refuse(data, command.status);
    state_.not_started(command);
  } else if (is_inline) {
    write_inline(command, data, native);
  } else if (range != nullptr && data.mode == wire::BlobMode::kRendezvous && can_stream(command)) {
    write_streamed(command, data, *range);
  } else {
    return write_staged(command, data, native);
  }
  return {};
}

void Transfers::write_inline(SessionState::Command& command, const wire::Blob& data,
                             const NativeWrite& native) {
  core::Block block = services().staging.acquire(data.bytes);
  cl_event event = nullptr;
  if (!block) command.fail(CL_OUT_OF_HOST_MEMORY);
  if (command.ok()) {
    std::copy(data.inline_data.begin(), data.inline_data.end(), block.data());
    command.fail(native(command.queue->native, block.data(), command.wait_count(),
                        command.wait_events(), &event));
  }
  if (!command.ok()) return state_.not_started(command);
  const auto made = state_.make_event(command, event);
  made->afterwards = [held = shared(std::move(block))](cl_int) {};
  state_.started(command, made);
}

// The native write is enqueued now, to keep its place, and held back until the bytes are there.
base::Status Transfers::write_staged(SessionState::Command& command, const wire::Blob& data,
                                     const NativeWrite& native) {
  // The block's address must be known now, before its bytes are: it is lent to the upload.
  core::Block block;
  if (data.bytes <= kMaxStagedBytes) block = services().staging.acquire(data.bytes);
  if (!block) command.fail(CL_OUT_OF_HOST_MEMORY);
  cl_int status = CL_SUCCESS;
  const auto gate = make_gate(command, &status);
  command.fail(status);
  cl_event event = nullptr;
  if (command.ok()) {
    std::vector<cl_event> wait(command.wait.begin(), command.wait.end());
    wait.push_back(gate->native());
    command.fail(native(command.queue->native, block.data(), static_cast<cl_uint>(wait.size()),
                        wait.data(), &event));
  }
  if (!command.ok()) {
    services().uploads.refuse(data, command.status);
    state_.not_started(command);
    return {};
  }
  const auto held = shared(std::move(block));
  const auto made = state_.make_event(command, event);
  made->afterwards = [this, held, data](cl_int) { services().uploads.consumed(data); };
  state_.started(command, made);
  const Ref<Event> its(made);
  return services().uploads.receive_into(data, held, [this, gate, its](base::Status received) {
    if (!received.ok()) its->replaced_status = CL_OUT_OF_RESOURCES;
    gate->open(received.ok() ? CL_COMPLETE : CL_OUT_OF_RESOURCES);
    if (!received.ok()) completions().note_failure();
  });
}

// Grants the transfer when its turn has come, and writes chunk by chunk.
class Transfers::StreamedWrite final : public Stream, public core::ChunkConsumer {
 public:
  using Stream::Stream;

  void begin(cl_int status) override {
    if (status < 0) {
      owner.services().uploads.refuse(blob, status);
      return end(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
    }
    const auto self = std::static_pointer_cast<StreamedWrite>(shared_from_this());
    const auto opened = owner.services().uploads.stream(blob, self);
    if (!opened.ok()) end(CL_OUT_OF_RESOURCES);
  }

  void on_chunk(std::uint64_t offset, core::Block chunk, bool) override {
    cl_event native = nullptr;
    const std::size_t bytes = chunk.size();
    const cl_int status =
        api.clEnqueueWriteBuffer(hidden, range.mem->native, CL_FALSE, range.offset + offset, bytes,
                                 chunk.data(), 0, nullptr, &native);
    if (status != CL_SUCCESS) return chunk_over(status, bytes);
    watch_chunk(native, [this, bytes, held = shared(std::move(chunk))](cl_int written) {
      held->reset();
      chunk_over(written, bytes);
    });
  }
  void on_aborted(const base::Error&) override { end(CL_OUT_OF_RESOURCES); }

 private:
  void chunk_over(cl_int status, std::size_t bytes) {
    cl_int result = CL_SUCCESS;
    {
      const std::lock_guard lock(mutex);
      if (status < 0 && failed_ == CL_SUCCESS) failed_ = status;
      written_ += bytes;
      if (written_ < blob.bytes) return;
      result = failed_;
    }
    end(result);
  }

  std::uint64_t written_ = 0;
  cl_int failed_ = CL_SUCCESS;
};

void Transfers::write_streamed(SessionState::Command& command, const wire::Blob& data,
                               const BufferRange& range) {
  cl_int status = CL_SUCCESS;
  const auto gate = make_gate(command, &status);
  cl_command_queue hidden = command.queue->context->hidden_queue(*command.queue->device);
  if (hidden == nullptr) command.fail(CL_OUT_OF_RESOURCES);
  command.fail(status);
  if (command.ok()) {
    const auto stream = std::make_shared<StreamedWrite>(*this, command, data, range, gate, hidden);
    if (enqueue_stream(command, stream)) return;
  }
  services().uploads.refuse(data, command.status);
  state_.not_started(command);
}

// --- what both share ---

bool Transfers::can_stream(const SessionState::Command& command) const {
  return command.queue->device && command.queue->context && command.queue->device->version >= 120;
}

std::shared_ptr<Gate> Transfers::make_gate(const SessionState::Command& command, cl_int* status) {
  if (!command.queue->context) {
    *status = CL_INVALID_CONTEXT;
    return nullptr;
  }
  const cl_event native = api().clCreateUserEvent(command.queue->context->native, status);
  if (*status != CL_SUCCESS) return nullptr;
  auto gate = std::make_shared<Gate>(api(), native);
  if (gates_.size() >= prune_gates_at_) {
    gates_.remove_if([](const std::weak_ptr<Gate>& one) { return one.expired(); });
    prune_gates_at_ = 2 * gates_.size() + 64;
  }
  gates_.push_back(gate);
  return gate;
}

bool Transfers::enqueue_stream(SessionState::Command& command,
                               const std::shared_ptr<Stream>& stream) {
  cl_event start = nullptr;
  command.fail(api().clEnqueueMarkerWithWaitList(command.queue->native, command.wait_count(),
                                                 command.wait_events(), &start));
  if (!command.ok()) return false;
  const cl_event gate = stream->gate->native();
  cl_event last = nullptr;
  // In an out-of-order queue a barrier would hold back what the program has not asked to hold.
  command.fail(command.queue->in_order
                   ? api().clEnqueueBarrierWithWaitList(command.queue->native, 1, &gate, &last)
                   : api().clEnqueueMarkerWithWaitList(command.queue->native, 1, &gate, &last));
  const Ref<Event> marker(new Event(api(), 0));
  marker->native = start;
  if (!command.ok()) {
    stream->gate->open(command.status);
    return false;
  }
  stream->event = state_.make_event(command, last);
  state_.started(command, stream->event);
  marker->afterwards = [stream, start](cl_int status) {
    stream->note_start(start);
    stream->begin(status);
  };
  completions().watch(*marker);
  return true;
}

void Transfers::give_up() {
  for (const auto& one : gates_)
    if (const auto gate = one.lock()) gate->open(CL_OUT_OF_RESOURCES);
  gates_.clear();
}

}  // namespace longwire::worker::opencl
