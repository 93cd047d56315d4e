#include "worker/opencl/session_state.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace longwire::worker::opencl {

SessionState::SessionState(const NativeApi& api, const core::Services& services, StdoutPipe* output,
                           const SessionLimits& limits)
    : devices(limits.devices),
      memory(std::make_shared<MemoryQuota>(limits.memory_bytes)),
      clearing(api, limits.scrub),
      completions(api, services, output),
      api_(api),
      services_(services),
      output_(output) {
  if (limits.handles != 0) table.set_most(std::min<std::uint64_t>(limits.handles, kMaxObjects));
}

// --- objects ---

bool SessionState::add(Object* object, cl_int status) {
  const Ref<Object> holder(object);  // with no other use it goes with this function
  const Handle handle = object->handle();
  if (!table.may_insert(handle, object->kind())) {
    fault("a handle that is taken, or of the wrong kind");
    return false;
  }
  if (table.full() && status == CL_SUCCESS) status = CL_OUT_OF_RESOURCES;
  if (status != CL_SUCCESS) {
    object->set_failed(status);
    services_.outbox.turn().object_failed(handle, status);
  }
  if (!table.full()) table.insert(object);
  return true;
}

void SessionState::fault(std::string what) {
  if (!fault_) fault_.emplace(base::ErrorCode::kWireFault, std::move(what));
}

base::Status SessionState::take_fault() {
  if (!fault_) return {};
  return *std::exchange(fault_, std::nullopt);
}

void SessionState::created(Handle handle, void* native, cl_int status) {
  switch (kind_of(handle)) {
    case Kind::kQueue: {
      auto* queue = new Queue(api_, handle);
      queue->native = static_cast<cl_command_queue>(native);
      add(queue, status);
      return;
    }
    case Kind::kMem: {
      auto* mem = new Mem(api_, handle);
      mem->native = static_cast<cl_mem>(native);
      add(mem, status);
      return;
    }
    case Kind::kSampler: {
      auto* sampler = new Sampler(api_, handle);
      sampler->native = static_cast<cl_sampler>(native);
      add(sampler, status);
      return;
    }
    case Kind::kKernel: {
      auto* kernel = new Kernel(api_, handle);
      kernel->native = static_cast<cl_kernel>(native);
      add(kernel, status);
      return;
    }
    case Kind::kEvent: {
      auto* event = new Event(api_, handle);
      event->native = static_cast<cl_event>(native);
      event->is_user = true;
      add(event, status);
      return;
    }
    default:
      fault("a creation under a handle of the wrong kind");
  }
}

void SessionState::failed(Handle object, cl_int status) {
  services_.outbox.turn().object_failed(object, status);
}

// --- lookups ---

cl_context SessionState::context(Handle handle) {
  const auto found = find<Context>(handle);
  return found.ok() ? found.object->native : nullptr;
}
cl_command_queue SessionState::queue(Handle handle) {
  const auto found = find<Queue>(handle);
  if (!found.ok() || make_way(*found.object, Access::kChanges) != CL_SUCCESS) return nullptr;
  return found.object->native;
}
cl_mem SessionState::mem(Handle handle) {
  const auto found = find<Mem>(handle);
  return found.ok() ? found.object->native : nullptr;
}
cl_sampler SessionState::sampler(Handle handle) {
  const auto found = find<Sampler>(handle);
  return found.ok() ? found.object->native : nullptr;
}
Found<Program> SessionState::find_program(Handle handle) const {
  const auto found = find<Program>(handle);
  if (found.ok() && found.object->native.load() == nullptr) return {nullptr, CL_INVALID_PROGRAM};
  return found;
}
cl_program SessionState::program(Handle handle) {
  const auto found = find_program(handle);
  return found.ok() ? found.object->native.load() : nullptr;
}
cl_kernel SessionState::kernel(Handle handle) {
  const auto found = find<Kernel>(handle);
  return found.ok() ? found.object->native : nullptr;
}
cl_event SessionState::event(Handle handle) {
  const auto found = find<Event>(handle);
  return found.ok() ? found.object->native : nullptr;
}
cl_device_id SessionState::device(Handle handle) {
  const auto found = find<Device>(handle);
  return found.ok() ? found.object->native : nullptr;
}

std::span<const cl_event> SessionState::wait_list(wire::U64View handles, cl_int* failed) {
  wait_.clear();
  if (handles.size() > kMaxWaitList) *failed = CL_INVALID_EVENT_WAIT_LIST;
  for (std::size_t i = 0; i < handles.size() && i < kMaxWaitList; ++i) {
    Object* const object =
        kind_of(handles[i]) == Kind::kEvent ? table.find_any(handles[i]) : nullptr;
    if (object == nullptr) {
      *failed = CL_INVALID_EVENT_WAIT_LIST;
    } else if (object->failed() != CL_SUCCESS) {
      *failed = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
    } else {
      wait_.push_back(static_cast<Event*>(object)->native);
    }
  }
  return wait_;
}

// --- enqueued commands ---

cl_int SessionState::make_way(Queue& queue, Access access) {
  if (queue.lent.empty() && !queue.placed) return CL_SUCCESS;
  return before_command(queue, access);
}

SessionState::Command SessionState::begin(Handle queue, wire::U64View waits, Handle event,
                                          Access access) {
  Command command;
  command.queue_handle = queue;
  command.event_handle = event;
  const auto found = find<Queue>(queue);
  command.queue = found.object;
  command.status = found.status;
  cl_int failed = CL_SUCCESS;
  command.wait = wait_list(waits, &failed);
  command.fail(failed);
  if (found.ok()) command.fail(make_way(*found.object, access));
  return command;
}

Ref<Event> SessionState::make_event(const Command& command, cl_event native) {
  Ref<Event> event(new Event(api_, command.event_handle));
  event->native = native;
  event->queue = Ref<Queue>(command.queue);
  return event;
}

void SessionState::started(const Command& command, const Ref<Event>& event) {
  touch(*command.queue);
  if (command.queue->in_order) event->ends = command.queue->given;
  if (event->wanted() && !add(event.get(), CL_SUCCESS)) return;
  completions.watch(*event);
}

void SessionState::not_started(const Command& command) {
  if (command.event_handle != 0) {
    const Ref<Event> event(new Event(api_, command.event_handle));
    if (!table.may_insert(event->handle(), Kind::kEvent))
      return fault("an event handle that is taken, or of the wrong kind");
    event->set_failed(command.status);
    if (!table.full()) table.insert(event.get());
  }
  completions.failed_to_start(command.queue_handle, command.event_handle, command.status);
}

void SessionState::enqueued(Handle queue, Handle event, cl_event native, cl_int status) {
  const auto found = find<Queue>(queue);
  Command command{queue, event, found.object, {}, status};
  if (status != CL_SUCCESS) return not_started(command);
  if (native != nullptr) return started(command, make_event(command, native));
  touch(*found.object);
}

void SessionState::touch(Queue& queue) {
  ++queue.given;
  if (std::exchange(queue.touched, true)) return;
  touched_.emplace_back(&queue);
}

void SessionState::flush_touched() {
  // A driver may complete commands inside, and so bring about further ones.
  std::vector<Ref<Queue>> queues;
  queues.swap(touched_);
  for (const Ref<Queue>& queue : queues) {
    queue->touched = false;
    api_.clFlush(queue->native);
  }
  if (!touched_.empty()) return;
  queues.clear();
  touched_.swap(queues);  // keeps the memory
}

// --- data that must be here first ---

bool SessionState::arrived(const wire::Blob& blob, std::span<const std::byte>* data,
                           cl_int* status) {
  if (blob.transfer == 0) {
    *data = blob.inline_data;
    if (blob.inline_data.size() != blob.bytes) fault("a creation without its data");
    return true;
  }
  const auto found = arrivals_.find(blob.transfer);
  if (found != arrivals_.end()) {
    if (found->second.status != CL_SUCCESS) *status = found->second.status;
    *data = found->second.block.bytes();
    return found->second.here;
  }
  arrivals_[blob.transfer];
  ++awaited_;
  const auto transfer = blob.transfer;
  const auto receiving = services_.uploads.receive(blob, [this, transfer](auto result) {
    auto arrival_of = std::make_shared<Arrival>();  // std::function copies
    arrival_of->here = true;
    if (result.ok()) {
      arrival_of->block = std::move(result).value();
    } else {
      arrival_of->status = CL_OUT_OF_RESOURCES;
    }
    services_.post([this, transfer, arrival_of] { arrival(transfer, std::move(*arrival_of)); });
  });
  if (receiving.ok()) return false;
  --awaited_;
  if (receiving.error().code() == base::ErrorCode::kWireFault) {
    arrivals_.erase(transfer);
    fault(receiving.error().message());
    return false;
  }
  arrivals_[transfer] = {true, {}, CL_OUT_OF_HOST_MEMORY, false};
  *status = CL_OUT_OF_HOST_MEMORY;
  return true;
}

void SessionState::arrival(session::TransferId transfer, Arrival result) {
  arrivals_[transfer] = std::move(result);
  --awaited_;
  if (awaited_ == 0 && on_arrival) on_arrival();
}

void SessionState::drop(const wire::Blob& blob) {
  if (blob.transfer == 0) return;
  const auto found = arrivals_.find(blob.transfer);
  if (found == arrivals_.end()) return;
  const bool taken = found->second.taken;
  arrivals_.erase(found);
  if (taken) services_.uploads.consumed(blob);
}

void SessionState::expect_output() {
  if (output_ != nullptr) output_->start(services_.outbox);
}

}  // namespace longwire::worker::opencl
