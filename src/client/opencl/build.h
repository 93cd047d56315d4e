// Building, compiling and linking: the node does it, the reply brings everything that is ever asked
// about the result. OpenCL 3.0, section 5.8.6.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/opencl/enqueue.h"
#include "client/opencl/program.h"

namespace longwire::client::opencl {

using ProgramCallback = void(CL_CALLBACK*)(cl_program, void*);

// Who wants to know of the end: the caller, who waits, or the program's callback.
struct BuildNotify {
  ProgramCallback callback = nullptr;
  void* user_data = nullptr;
  // CL_INVALID_VALUE for user data without a callback.
  cl_int check() const noexcept {
    return callback == nullptr && user_data != nullptr ? CL_INVALID_VALUE : CL_SUCCESS;
  }
};

// One build on all nodes that have devices of it. Shared by the replies' handlers and the caller.
class BuildUnderWay : public std::enable_shared_from_this<BuildUnderWay> {
 public:
  BuildUnderWay(Program& program, BuildNotify notify, std::size_t nodes);

  // Sends one node's share. `message` is complete but for its token.
  template <class M>
  void start(Node& node, const DeviceList& devices, const M& message) {
    const auto sent = node.session().request(
        message, [self = shared_from_this(), &node, devices](const core::ReplyView& reply) {
          typename M::Reply answer;
          if (reply.lost == nullptr && reply.body->remaining() != 0) decode(*reply.body, answer);
          self->answered(node, devices, reply, answer.program);
        });
    if (!sent.ok()) not_sent(node, devices);
  }

  // Waits, unless a callback was asked for. The build's own status: of the first node that failed.
  cl_int finish();

 private:
  void answered(Node& node, const DeviceList& devices, const core::ReplyView& reply,
                const ::longwire::opencl::record::program& record) noexcept;
  void not_sent(Node& node, const DeviceList& devices) noexcept;
  void one_done(cl_int status) noexcept;

  const Ref<Program> program_;
  const BuildNotify notify_;
  std::atomic<std::size_t> left_;
  std::atomic<cl_int> status_{CL_SUCCESS};
  std::atomic<bool> done_{false};
};

// A round trip whose message names an upload.
template <class M>
cl_int call_with_upload(Node& node, const M& message, const wire::Blob& blob,
                        std::span<const std::byte> data) {
  struct Outcome {
    std::atomic<bool> done{false};
    cl_int status = kLostCallStatus;
  };
  const auto outcome = std::make_shared<Outcome>();  // shared with the reply's handler
  const auto sent = node.session().request(message, [outcome, &node](const core::ReplyView& reply) {
    if (reply.lost == nullptr) outcome->status = reply.status;
    outcome->done.store(true, std::memory_order_release);
    node.session().notify();
  });
  if (!sent.ok() || !node.session().upload(blob, data).ok()) return kLostCallStatus;
  LW_CL_TRY(node.wait_until([&] { return outcome->done.load(std::memory_order_acquire); }));
  return outcome->status;
}

}  // namespace longwire::client::opencl
