#include "worker/opencl/transfers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "worker/opencl/transfer_streams.h"

namespace longwire::worker::opencl {
namespace {

// std::function copies its target: blocks go in shared.
std::shared_ptr<core::Block> shared(core::Block block) {
  return std::make_shared<core::Block>(std::move(block));
}

}  // namespace

Transfers::Transfers(SessionState& state) : state_(state) {
  state.before_command = [this](Queue& queue, SessionState::Access access) {
    return make_way(queue, access);
  };
}

Gate::~Gate() {
  open(CL_OUT_OF_RESOURCES);
  api_.clReleaseEvent(native_);
}

void Gate::open(cl_int status) {
  if (!opened_.exchange(true)) api_.clSetUserEventStatus(native_, status);
}

Piece Shape::piece(std::uint64_t offset, std::uint64_t most_bytes) const {
  const std::uint64_t slice = offset / slice_bytes();
  if (offset % slice_bytes() == 0 && slice_bytes() <= most_bytes)
    return {offset, slice_bytes() * std::min(most_bytes / slice_bytes(), slices - slice)};
  const std::uint64_t row = offset % slice_bytes() / row_bytes;
  const std::uint64_t most_rows = std::max<std::uint64_t>(most_bytes / row_bytes, 1);
  return {offset, row_bytes * std::min(most_rows, rows - row)};
}

// --- reads ---

base::Status Transfers::read(SessionState::Command command, const wire::Blob& download,
                             wire::Token token, const Shape& shape, const NativeRead& native,
                             const BufferRange* range) {
  const bool is_inline = download.transfer == 0;
  if (is_inline && download.bytes > session::kInlineBytes)
    return base::Error(base::ErrorCode::kWireFault, "an inline read that is too large");
  if (!command.ok()) {
    read_failed(command, token);
  } else if (is_inline) {
    if (!read_at_once(command, download, token, range))
      read_inline(command, download, token, native);
  } else if (lend(command, download, token, range)) {
    return {};
  } else if (download.bytes > kStagedReadBytes && can_stream(command)) {
    read_streamed(command, download, token, shape, native);
  } else {
    read_staged(command, download, token, native);
  }
  return {};
}

void Transfers::read_failed(const SessionState::Command& command, wire::Token token) {
  // The reply tells whoever waits for it; its queue need not hear of it a second time.
  if (command.event_handle != 0) state_.not_started(command);
  services().outbox.turn().reply(token, command.status);
}

void Transfers::read_inline(SessionState::Command& command, const wire::Blob& download,
                            wire::Token token, const NativeRead& native) {
  core::Block block = services().staging.acquire(download.bytes);
  cl_event event = nullptr;
  if (!block) command.fail(CL_OUT_OF_HOST_MEMORY);
  if (command.ok()) {
    command.fail(native(command.queue->native, {0, download.bytes}, block.data(),
                        command.wait_count(), command.wait_events(), &event));
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
    command.fail(native(command.queue->native, {0, download.bytes}, block.data(),
                        command.wait_count(), command.wait_events(), &event));
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
    send_bytes(transfer, 0, data, [reply](const base::Status& sent) {
      reply(sent.ok() ? CL_SUCCESS : CL_OUT_OF_RESOURCES);
    });
  };
  state_.started(command, made);
}

// Without lanes the bytes go as frames, and sending waits for the client to read: never on a thread
// of the driver's, which may hold a lock that the dispatch thread needs.
void Transfers::send_bytes(session::TransferId transfer, std::uint64_t offset,
                           const std::shared_ptr<core::Block>& data,
                           std::function<void(base::Status)> on_taken) {
  session::BulkPort& bulk = services().bulk;
  const auto send = [&bulk, transfer, offset, data, on_taken] {
    bulk.send(
        transfer, offset, data->bytes(), [data](const base::Status&) { data->reset(); }, on_taken);
  };
  if (bulk.lanes() > 0) return send();
  const bool runs = services().mirrors.run(send);
  if (!runs) on_taken(base::Error(base::ErrorCode::kLimit, "no thread to send from"));
}

void Transfers::reply_read(Queue& queue, std::uint64_t read, wire::Token token, cl_int status) {
  {
    auto turn = services().outbox.turn();
    turn.reply(token, status, msg::EnqueueReadBuffer::Reply{}, CL_OUT_OF_RESOURCES);
    completions().read_replied(turn, queue, read);
  }
  services().outbox.flush();
}

void Transfers::read_streamed(SessionState::Command& command, const wire::Blob& download,
                              wire::Token token, const Shape& shape, const NativeRead& native) {
  cl_int status = CL_SUCCESS;
  const auto gate = make_gate(command, &status);
  cl_command_queue hidden = command.queue->context->hidden_queue(*command.queue->device);
  if (hidden == nullptr) command.fail(CL_OUT_OF_RESOURCES);
  command.fail(status);
  if (command.ok()) {
    const auto stream = std::make_shared<StreamedRead>(*this, command, download, gate, hidden,
                                                       token, shape, native);
    if (enqueue_stream(command, stream)) return;
    stream->withdraw();
  }
  read_failed(command, token);
}

// --- writes ---

base::Status Transfers::write(SessionState::Command command, const wire::Blob& data,
                              const NativeWrite& native, const BufferRange* range) {
  const bool is_inline = data.transfer == 0;
  base::Status placed;
  if (is_inline && data.inline_data.size() != data.bytes)
    return base::Error(base::ErrorCode::kWireFault, "an inline write without its data");
  if (!command.ok()) {
    services().uploads.refuse(data, command.status);
    state_.not_started(command);
  } else if (is_inline) {
    if (!write_at_once(command, data, range)) write_inline(command, data, native);
  } else if (place(command, data, range, &placed)) {
    return placed;
  } else if (range != nullptr && can_stream(command) &&
             (data.mode == wire::BlobMode::kRendezvous || data.bytes > kStagedWriteBytes)) {
    return write_streamed(command, data, *range);
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
    command.fail(native(command.queue->native, {0, data.bytes}, block.data(), command.wait_count(),
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
    command.fail(native(command.queue->native, {0, data.bytes}, block.data(),
                        static_cast<cl_uint>(wait.size()), wait.data(), &event));
  }
  if (!command.ok()) {
    services().uploads.refuse(data, command.status);
    state_.not_started(command);
    return {};
  }
  const auto held = shared(std::move(block));
  const auto made = state_.make_event(command, event);
  made->in_turn = [this, data](core::Outbox::Turn& turn, cl_int) {
    services().uploads.consumed(data, turn);
  };
  made->afterwards = [held](cl_int) {};
  state_.started(command, made);
  return services().uploads.receive_into(
      data, held, [this, gate, its = made](const base::Status& received) {
        if (!received.ok()) its->replaced_status = CL_OUT_OF_RESOURCES;
        gate->open(received.ok() ? CL_COMPLETE : CL_OUT_OF_RESOURCES);
        if (!received.ok()) completions().note_failure();
      });
}

base::Status Transfers::write_streamed(SessionState::Command& command, const wire::Blob& data,
                                       const BufferRange& range) {
  cl_int status = CL_SUCCESS;
  const auto gate = make_gate(command, &status);
  cl_command_queue hidden = command.queue->context->hidden_queue(*command.queue->device);
  if (hidden == nullptr) command.fail(CL_OUT_OF_RESOURCES);
  command.fail(status);
  if (command.ok()) {
    const auto stream = std::make_shared<StreamedWrite>(*this, command, data, gate, hidden, range);
    if (enqueue_stream(command, stream)) return stream->expect_eager();
  }
  services().uploads.refuse(data, command.status);
  state_.not_started(command);
  return {};
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
  command.fail(stream->enqueue_start(command, &start));
  if (!command.ok()) return false;
  const Ref<Event> marker(new Event(api(), 0));
  marker->native = start;
  cl_event last = nullptr;
  command.fail(stream->enqueue_end(command, &last));
  if (!command.ok()) {
    stream->gate->open(command.status);
    return false;
  }
  stream->event = state_.make_event(command, last);
  stream->event->in_turn = [stream](core::Outbox::Turn& turn, cl_int) { stream->reported(turn); };
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
