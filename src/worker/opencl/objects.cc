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
  return queue;
}

Queue::~Queue() {
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
