// Queues and events: when commands run.
#include <algorithm>

#include "worker/fake/fake_objects.h"

namespace longwire::worker::fake {

FakeQueue::FakeQueue() { state().queues.push_back(this); }
FakeQueue::~FakeQueue() { std::erase(state().queues, this); }

void Guard::release() {
  while (lock_.owns_lock()) {
    std::vector<std::function<void()>> callbacks;
    callbacks.swap(state().callbacks);
    lock_.unlock();
    for (auto& callback : callbacks)
      callback();
    if (callbacks.empty()) return;
    callbacks.clear();
    lock_.lock();
  }
}

void FakeEvent::reach(cl_int new_status) {
  status = new_status;
  std::vector<Callback> due;
  std::erase_if(callbacks, [&](const Callback& one) {
    if (status > one.trigger) return false;
    due.push_back(one);
    return true;
  });
  for (const Callback& one : due) {
    ++references;  // until the callback has run
    state().callbacks.push_back([one, this] {
      one.function(native<cl_event>(this), status < 0 ? status : one.trigger, one.user);
      release<FakeEvent>(native<cl_event>(this));
    });
  }
  state().changed.notify_all();
}

namespace {

// 1: not yet; CL_COMPLETE: go; negative: it must fail.
cl_int readiness(const FakeCommand& command) {
  cl_int result = CL_COMPLETE;
  for (const auto& wait : command.waits) {
    if (wait->status > CL_COMPLETE) return 1;
    if (wait->status < 0) result = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  }
  return result;
}

void run_one(FakeCommand& command, cl_int ready) {
  FakeState& s = state();
  FakeEvent& event = *command.event.get();
  event.times[2] = ++s.time;
  event.reach(CL_RUNNING);
  const cl_int status = ready < 0 ? ready : command.run ? command.run() : CL_COMPLETE;
  event.times[3] = event.times[4] = ++s.time;
  ++s.commands;
  command.run = nullptr;
  event.reach(status);
}

bool run_some(FakeQueue& queue) {
  for (auto command = queue.pending.begin(); command != queue.pending.end(); ++command) {
    const cl_int ready = command->submitted ? readiness(*command) : 1;
    if (ready <= CL_COMPLETE) {
      FakeCommand now = std::move(*command);
      queue.pending.erase(command);
      run_one(now, ready);
      return true;
    }
    if (queue.in_order()) return false;
  }
  return false;
}

FakeCommand command_of(FakeQueue& queue, cl_uint wait_count, const cl_event* wait) {
  FakeCommand command;
  command.queue = Use<FakeQueue>(&queue);
  auto* const made = new FakeEvent;
  command.event = Use<FakeEvent>(made);
  --made->references;  // the command's own use is the only one
  made->context = queue.context;
  made->times[0] = ++state().time;
  for (cl_uint i = 0; i < wait_count; ++i)
    command.waits.emplace_back(fake<FakeEvent>(wait[i]));
  if (queue.barrier) command.waits.push_back(queue.barrier);
  return command;
}

void put(FakeQueue& queue, FakeCommand command, cl_event* event) {
  if (event != nullptr) {
    ++command.event->references;
    *event = native<cl_event>(command.event.get());
  }
  queue.pending.push_back(std::move(command));
}

}  // namespace

void submit(FakeQueue& queue) {
  for (FakeCommand& command : queue.pending) {
    if (std::exchange(command.submitted, true)) continue;
    command.event->times[1] = ++state().time;
    command.event->reach(CL_SUBMITTED);
  }
}

void run_what_can() {
  FakeState& s = state();
  for (bool progress = true; progress;) {
    progress = false;
    for (std::size_t i = 0; i < s.queues.size(); ++i) {
      const Use<FakeQueue> queue(s.queues[i]);
      while (run_some(*queue.get()))
        progress = true;
    }
  }
}

cl_int enqueue(cl_command_queue handle, cl_uint wait_count, const cl_event* wait, cl_event* event,
               std::function<cl_int()> run) {
  FakeQueue& queue = *fake<FakeQueue>(handle);
  FakeCommand command = command_of(queue, wait_count, wait);
  command.run = std::move(run);
  put(queue, std::move(command), event);
  return CL_SUCCESS;
}

cl_int enqueue_fence(cl_command_queue handle, cl_uint wait_count, const cl_event* wait,
                     cl_event* event, bool is_barrier) {
  FakeQueue& queue = *fake<FakeQueue>(handle);
  FakeCommand command = command_of(queue, wait_count, wait);
  if (wait_count == 0)
    for (const FakeCommand& before : queue.pending)
      command.waits.push_back(before.event);
  if (is_barrier && !queue.in_order()) queue.barrier = command.event;
  put(queue, std::move(command), event);
  return CL_SUCCESS;
}

namespace {

using longwire::opencl::NativeApi;

cl_command_queue CL_API_CALL create_queue(cl_context context, cl_device_id device,
                                          cl_command_queue_properties properties, cl_int* status) {
  const Guard guard;
  auto* queue = new FakeQueue;
  queue->context = Use<FakeContext>(fake<FakeContext>(context));
  queue->device = device;
  queue->properties = properties;
  set(status, CL_SUCCESS);
  return native<cl_command_queue>(queue);
}

cl_command_queue CL_API_CALL create_queue_with(cl_context context, cl_device_id device,
                                               const cl_queue_properties* properties,
                                               cl_int* status) {
  cl_command_queue_properties bits = 0;
  for (; properties != nullptr && *properties != 0; properties += 2) {
    if (*properties != CL_QUEUE_PROPERTIES || (properties[1] & CL_QUEUE_ON_DEVICE) != 0) {
      set(status, CL_INVALID_QUEUE_PROPERTIES);
      return nullptr;
    }
    bits = properties[1];
  }
  return create_queue(context, device, bits, status);
}

cl_int CL_API_CALL flush(cl_command_queue handle) {
  const Guard guard;
  submit(*fake<FakeQueue>(handle));
  run_what_can();
  return CL_SUCCESS;
}

cl_int CL_API_CALL finish(cl_command_queue handle) {
  Guard guard;
  FakeQueue& queue = *fake<FakeQueue>(handle);
  submit(queue);
  run_what_can();
  state().changed.wait(guard.lock(), [&] { return queue.pending.empty(); });
  return CL_SUCCESS;
}

// The last use of a queue is a flush.
cl_int CL_API_CALL release_queue(cl_command_queue handle) {
  const Guard guard;
  FakeQueue* const queue = fake<FakeQueue>(handle);
  submit(*queue);
  run_what_can();
  if (--queue->references == 0) delete queue;
  return CL_SUCCESS;
}

cl_event CL_API_CALL create_user_event(cl_context context, cl_int* status) {
  const Guard guard;
  auto* event = new FakeEvent;
  event->context = Use<FakeContext>(fake<FakeContext>(context));
  event->is_user = true;
  event->status = CL_SUBMITTED;
  set(status, CL_SUCCESS);
  return native<cl_event>(event);
}

cl_int CL_API_CALL set_user_event(cl_event handle, cl_int status) {
  const Guard guard;
  FakeEvent& event = *fake<FakeEvent>(handle);
  if (status > CL_COMPLETE) return CL_INVALID_VALUE;
  if (!event.is_user) return CL_INVALID_EVENT;
  if (event.status <= CL_COMPLETE) return CL_INVALID_OPERATION;
  event.reach(status);
  run_what_can();
  return CL_SUCCESS;
}

cl_int CL_API_CALL wait_for_events(cl_uint count, const cl_event* events) {
  Guard guard;
  for (FakeQueue* queue : state().queues)
    submit(*queue);
  run_what_can();
  const auto done = [&] {
    return std::all_of(events, events + count,
                       [](cl_event one) { return fake<FakeEvent>(one)->status <= CL_COMPLETE; });
  };
  state().changed.wait(guard.lock(), done);
  const bool ok = std::all_of(events, events + count, [](cl_event one) {
    return fake<FakeEvent>(one)->status == CL_COMPLETE;
  });
  return ok ? CL_SUCCESS : CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
}

cl_int CL_API_CALL set_callback(cl_event handle, cl_int trigger,
                                void(CL_CALLBACK* function)(cl_event, cl_int, void*), void* user) {
  const Guard guard;
  FakeEvent& event = *fake<FakeEvent>(handle);
  event.callbacks.push_back({trigger, function, user});
  event.reach(event.status);
  return CL_SUCCESS;
}

cl_int CL_API_CALL event_info(cl_event handle, cl_event_info param, std::size_t room, void* value,
                              std::size_t* size) {
  const Guard guard;
  const FakeEvent& event = *fake<FakeEvent>(handle);
  switch (param) {
    case CL_EVENT_COMMAND_EXECUTION_STATUS:
      return give_value(event.status, room, value, size);
    case CL_EVENT_CONTEXT:
      return give_value(native<cl_context>(event.context.get()), room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL profiling_info(cl_event handle, cl_profiling_info param, std::size_t room,
                                  void* value, std::size_t* size) {
  const Guard guard;
  const FakeEvent& event = *fake<FakeEvent>(handle);
  if (param < CL_PROFILING_COMMAND_QUEUED || param > CL_PROFILING_COMMAND_COMPLETE)
    return CL_INVALID_VALUE;
  if (event.status != CL_COMPLETE || event.is_user) return CL_PROFILING_INFO_NOT_AVAILABLE;
  return give_value(event.times[param - CL_PROFILING_COMMAND_QUEUED], room, value, size);
}

cl_int CL_API_CALL marker(cl_command_queue queue, cl_uint count, const cl_event* wait,
                          cl_event* event) {
  const Guard guard;
  return enqueue_fence(queue, count, wait, event, false);
}
cl_int CL_API_CALL barrier(cl_command_queue queue, cl_uint count, const cl_event* wait,
                           cl_event* event) {
  const Guard guard;
  return enqueue_fence(queue, count, wait, event, true);
}

}  // namespace

void fill_queue_functions(NativeApi& api) {
  api.clCreateCommandQueue = create_queue;
  api.clCreateCommandQueueWithProperties = create_queue_with;
  api.clRetainCommandQueue = retain<FakeQueue, cl_command_queue>;
  api.clReleaseCommandQueue = release_queue;
  api.clFlush = flush;
  api.clFinish = finish;
  api.clCreateUserEvent = create_user_event;
  api.clSetUserEventStatus = set_user_event;
  api.clWaitForEvents = wait_for_events;
  api.clSetEventCallback = set_callback;
  api.clGetEventInfo = event_info;
  api.clGetEventProfilingInfo = profiling_info;
  api.clRetainEvent = retain<FakeEvent, cl_event>;
  api.clReleaseEvent = release<FakeEvent, cl_event>;
  api.clEnqueueMarkerWithWaitList = marker;
  api.clEnqueueBarrierWithWaitList = barrier;
}

}  // namespace longwire::worker::fake
