#include "client/opencl/queue.h"

#include <utility>

#include "client/opencl/event.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace msg = longwire::opencl::msg;

Queue::Queue(Context& context, Device& device, cl_command_queue_properties properties,
             std::vector<cl_queue_properties> properties_array)
    : Object(kKind, context.new_handle(kKind)),
      context_(&context),
      device_(&device),
      properties_(properties),
      properties_array_(std::move(properties_array)) {
  context.runtime().add_object(*this);
}

Queue::~Queue() {
  context_->runtime().remove_object(*this);
  node().release(handle());
}

// Releasing a queue flushes it (section 5.1), also when events keep the object a while.
void Queue::on_api_released() noexcept { (void)flush(); }

cl_int Queue::create_on_node(std::span<const cl_queue_properties> properties) noexcept {
  msg::CreateCommandQueue message;
  message.queue = handle();
  message.context = context_->handle();
  message.device = device_->handle();
  message.properties = wire::U64View(std::as_bytes(properties));
  return node().send(message);
}

void Queue::on_failed(cl_int status) noexcept {
  cl_int none = CL_SUCCESS;
  error_.compare_exchange_strong(none, status);  // the first one says most
}

cl_int Queue::flush() noexcept {
  mark_flushed();
  msg::Flush message;
  message.queue = handle();
  LW_CL_TRY(node().send(message));
  return node().flush();
}

cl_int Queue::wait_for_reads() noexcept {
  if (reads_.empty()) return CL_SUCCESS;
  return node().wait_until([this, last = reads_.latest()] { return reads_.ended(last); });
}

Ref<Event> Queue::fence() noexcept {
  if (!fenced_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(fence_lock_);
  return fence_;
}

void Queue::set_fence(Event& barrier) {
  {
    const std::lock_guard lock(fence_lock_);
    fence_ = Ref<Event>(&barrier);
    fenced_.store(true, std::memory_order_release);
  }
  barrier.when_done([queue = Ref<Queue>(this), passed = &barrier](cl_int) {
    Ref<Event> last;  // dropped outside the lock
    const std::lock_guard lock(queue->fence_lock_);
    if (queue->fence_.get() != passed) return;
    queue->fenced_.store(false, std::memory_order_release);
    last = std::exchange(queue->fence_, {});
  });
}

cl_int Queue::finish() noexcept {
  mark_flushed();
  msg::Finish message;
  message.queue = handle();
  cl_int status = node().call(message);
  if (status == CL_SUCCESS) status = wait_for_reads();
  const cl_int earlier = take_error();
  return earlier != CL_SUCCESS ? earlier : status;
}

cl_int Queue::get_info(cl_command_queue_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_QUEUE_CONTEXT:
      return out.value<cl_context>(to_cl<cl_context>(context_.get()));
    case CL_QUEUE_DEVICE:
      return out.value<cl_device_id>(to_cl<cl_device_id>(device_.get()));
    case CL_QUEUE_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    case CL_QUEUE_PROPERTIES:
      return out.value<cl_command_queue_properties>(properties());
    case CL_QUEUE_PROPERTIES_ARRAY:
      return out.array(std::span<const cl_queue_properties>(properties_array_));
    case CL_QUEUE_DEVICE_DEFAULT:
      return out.value<cl_command_queue>(nullptr);
    case CL_QUEUE_SIZE:
      return CL_INVALID_COMMAND_QUEUE;  // of on-device queues only
    default:
      return CL_INVALID_VALUE;
  }
}

}  // namespace longwire::client::opencl
