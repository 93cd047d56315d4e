#include "worker/opencl/objects.h"

#include <algorithm>

namespace longwire::worker::opencl {

void Object::unuse() noexcept {
  if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

Device::~Device() {
  if (is_sub_) api_.clReleaseDevice(native);
}

Context::~Context() {
  for (const auto& [device, queue] : hidden_)
    api_.clReleaseCommandQueue(queue);
  if (cleared_ != nullptr) api_.clReleaseEvent(cleared_);
  if (clearing_ != nullptr) api_.clReleaseCommandQueue(clearing_);
  if (native != nullptr) api_.clReleaseContext(native);
}

cl_command_queue Context::hidden_queue(Device& device) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, queue] : hidden_)
    if (id == device.native) return queue;
  cl_int status = CL_SUCCESS;
  cl_command_queue queue =
      api_.clCreateCommandQueue(native, device.native, CL_QUEUE_PROFILING_ENABLE, &status);
  if (status != CL_SUCCESS) queue = api_.clCreateCommandQueue(native, device.native, 0, &status);
  if (status != CL_SUCCESS) return nullptr;
  hidden_.emplace_back(device.native, queue);
  if (cleared_ != nullptr) hold(queue, cleared_);
  return queue;
}

cl_command_queue Context::clearing_queue() {
  const std::lock_guard lock(mutex_);
  cl_int status = CL_SUCCESS;
  if (clearing_ == nullptr)
    clearing_ = api_.clCreateCommandQueue(native, devices.front()->native, 0, &status);
  return clearing_;
}

cl_int Context::hold_queues_until(cl_event event) {
  std::vector<cl_command_queue> queues;
  cl_command_queue clearing = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (cl_event before = std::exchange(cleared_, event)) api_.clReleaseEvent(before);
    queues = queues_;
    for (const auto& [device, queue] : hidden_)
      queues.push_back(queue);
    // They may go meanwhile, on another thread.
    for (cl_command_queue queue : queues)
      api_.clRetainCommandQueue(queue);
    clearing = clearing_;
  }
  // Without the lock: a driver may call back, and so end with a queue.
  cl_int status = api_.clFlush(clearing);
  for (cl_command_queue queue : queues) {
    if (status == CL_SUCCESS) status = hold(queue, event);
    api_.clReleaseCommandQueue(queue);
  }
  return status;
}

cl_int Context::hold(cl_command_queue queue, cl_event event) {
  if (api_.clEnqueueBarrierWithWaitList == nullptr) return api_.clWaitForEvents(1, &event);
  return api_.clEnqueueBarrierWithWaitList(queue, 1, &event, nullptr);
}

cl_int Context::enter(cl_command_queue queue) {
  const std::lock_guard lock(mutex_);
  queues_.push_back(queue);
  return cleared_ == nullptr ? CL_SUCCESS : hold(queue, cleared_);
}

void Context::leave(cl_command_queue queue) {
  const std::lock_guard lock(mutex_);
  std::erase(queues_, queue);
}

Queue::~Queue() {
  if (context && native != nullptr) context->leave(native);
  if (native != nullptr) api_.clReleaseCommandQueue(native);
}
Mem::~Mem() {
  if (native != nullptr) api_.clReleaseMemObject(native);
}
Sampler::~Sampler() {
  if (native != nullptr) api_.clReleaseSampler(native);
}
Program::~Program() {
  if (cl_program program = native.load()) api_.clReleaseProgram(program);
  if (source_ != nullptr) api_.clReleaseProgram(source_);
}
void Program::stand_on_binary(cl_program binary) {
  stand_on_source();
  source_ = native.exchange(binary);
}
void Program::stand_on_source() {
  if (source_ == nullptr) return;
  api_.clReleaseProgram(native.exchange(std::exchange(source_, nullptr)));
}
Kernel::~Kernel() {
  if (native != nullptr) api_.clReleaseKernel(native);
}
Event::~Event() {
  if (native != nullptr) api_.clReleaseEvent(native);
}

void ObjectTable::clear() noexcept {
  std::vector<Object*> all;
  all.reserve(objects_.size());
  objects_.for_each([&](Handle, Object* object) { all.push_back(object); });
  objects_ = {};
  // Dependent objects first, as most programs do; natively any order is allowed.
  std::stable_sort(all.begin(), all.end(),
                   [](Object* a, Object* b) { return a->kind() > b->kind(); });
  for (Object* object : all)
    object->unuse();
}

}  // namespace longwire::worker::opencl
