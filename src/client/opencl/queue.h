// Command queues. OpenCL 3.0, section 5.1.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/device.h"
#include "client/opencl/info.h"
#include "client/opencl/object.h"
#include "client/opencl/transfer_order.h"

namespace longwire::client::opencl {

class Queue final : public Object {
 public:
  static constexpr Kind kKind = Kind::kQueue;
  Queue(Context& context, Device& device, cl_command_queue_properties properties,
        std::vector<cl_queue_properties> properties_array);
  ~Queue() override;
  // `properties` as the node's driver shall see them.
  cl_int create_on_node(std::span<const cl_queue_properties> properties) noexcept;

  Context& context() const noexcept { return *context_; }
  Device& device() const noexcept { return *device_; }
  Node& node() const noexcept { return device_->node(); }

  cl_command_queue_properties properties() const noexcept { return properties_; }
  bool out_of_order() const noexcept {
    return (properties() & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0;
  }
  bool profiling() const noexcept { return (properties() & CL_QUEUE_PROFILING_ENABLE) != 0; }

  // The error of a command that was sent without waiting and without an event; taken, once, by the
  // next enqueue, blocking call or clFinish. docs/ARCHITECTURE.md, decision 2.
  void on_failed(cl_int status) noexcept override;
  cl_int take_error() noexcept { return error_.exchange(CL_SUCCESS); }

  // Commands are numbered as they are enqueued; those up to flushed() count as submitted.
  std::uint64_t next_command() noexcept { return ++enqueued_; }
  std::uint64_t flushed() const noexcept { return flushed_.load(); }
  void mark_flushed() noexcept { flushed_.store(enqueued_.load()); }

  // Reads whose bytes are still on their way.
  ReadOrder& reads() noexcept { return reads_; }
  // Waits for the bytes of those that are under way now.
  cl_int wait_for_reads() noexcept;
  // The last barrier of an out-of-order queue, while bytes of reads before it are on their way:
  // what is enqueued later completes after it. Null otherwise; costs one atomic load then.
  Ref<Event> fence() noexcept;
  void set_fence(Event& barrier);

  // clFlush; and clFinish, which gives the sticky error or that of a lost node.
  cl_int flush() noexcept;
  cl_int finish() noexcept;

  cl_int get_info(cl_command_queue_info param, const InfoOut& out) noexcept;

 private:
  void on_api_released() noexcept override;  // an implicit flush

  const Ref<Context> context_;
  const Ref<Device> device_;
  const cl_command_queue_properties properties_;
  const std::vector<cl_queue_properties> properties_array_;
  std::atomic<cl_int> error_{CL_SUCCESS};
  ReadOrder reads_;
  std::atomic<bool> fenced_{false};
  std::mutex fence_lock_;
  Ref<Event> fence_;
  std::atomic<std::uint64_t> enqueued_{0};
  std::atomic<std::uint64_t> flushed_{0};
};

}  // namespace longwire::client::opencl
