#include "app/longwire/node_question.h"

#include "opencl/messages.h"

namespace longwire::app {

// It knows of no such device.
base::Status ask_worker(client::core::NodeSession& session, base::Deadline deadline) {
  return session.call(
      longwire::opencl::msg::GetDeviceInfo{},
      [](const client::core::ReplyView& reply) {
        if (reply.body == nullptr) return;
        longwire::opencl::msg::GetDeviceInfo::Reply ignored;
        if (reply.body->remaining() != 0) decode(*reply.body, ignored);
      },
      deadline);
}

}  // namespace longwire::app
