// Node: one machine of the platform as OpenCL sees it: the session, the devices it has, the events
// that wait for its completions, and how the loss of the session shows in the API.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <CL/cl.h>

#include "client/core/node_session.h"
#include "client/opencl/object.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {

class Event;
class Runtime;

// What a call gives back when the session of its node is lost, unless the specification lets that
// call say CL_DEVICE_NOT_AVAILABLE itself; and what the events of that node complete with.
inline constexpr cl_int kLostCallStatus = CL_OUT_OF_RESOURCES;
inline constexpr cl_int kLostEventStatus = CL_DEVICE_NOT_AVAILABLE;

class Node final : public core::PushSink {
 public:
  Node(Runtime& runtime, std::unique_ptr<core::NodeSession> session, std::size_t index);
  ~Node() override;
  void end() noexcept;  // the session; objects may outlive it and find it lost

  Runtime& runtime() const noexcept { return runtime_; }
  core::NodeSession& session() noexcept { return *session_; }
  std::size_t index() const noexcept { return index_; }  // position in the platform's node list
  bool lost() const noexcept { return session_->lost(); }

  // Sends without waiting. CL_SUCCESS or kLostCallStatus.
  template <class M>
  cl_int send(const M& message) noexcept {
    return session_->send(message).ok() ? CL_SUCCESS : kLostCallStatus;
  }

  // One round trip. `on_reply` gets the decoded reply when the status is CL_SUCCESS. Gives
  // the API's own status, or kLostCallStatus; a malformed reply counts as the loss of the session.
  template <class M, class OnReply>
  cl_int call(const M& message, OnReply&& on_reply,
              base::Deadline deadline = base::Deadline::never()) noexcept {
    const auto on_body = [&](cl_int status, wire::Reader& body) {
      if (status != CL_SUCCESS) return true;
      typename M::Reply reply;
      decode(body, reply);
      if (!body.ok()) return false;
      on_reply(reply);
      return true;
    };
    return call_raw(message, on_body, deadline);
  }
  template <class M>
  cl_int call(const M& message) noexcept {
    return call_raw(message, [](cl_int, wire::Reader&) { return true; });
  }
  // `on_body(status, body)` sees failed replies too; false: the reply is malformed. It runs on the
  // pumping thread (must not block); views in the body are gone when it returns.
  template <class M, class OnBody>
  cl_int call_raw(const M& message, OnBody&& on_body,
                  base::Deadline deadline = base::Deadline::never()) noexcept {
    cl_int result = kLostCallStatus;
    const auto sent = session_->call(
        message,
        [&](const core::ReplyView& reply) {
          if (reply.lost != nullptr) return;
          result = reply.status;
          if (!on_body(reply.status, *reply.body)) result = kLostCallStatus;
        },
        deadline);
    return sent.ok() ? result : kLostCallStatus;
  }

  // What the node says of itself unasked (NodeSession::introduces_itself). As call().
  template <class Take>
  cl_int introduction(Take&& take, base::Deadline deadline) noexcept {
    const auto bytes = session_->introduction(deadline);
    if (!bytes.ok()) return kLostCallStatus;
    longwire::opencl::push::Introduction introduction;
    wire::Reader body(*bytes);
    decode(body, introduction);
    if (!body.ok()) return kLostCallStatus;
    take(introduction);
    return CL_SUCCESS;
  }

  // Waits, on this thread, for what frame handlers or notify() make true; flushes first.
  // CL_SUCCESS or kLostCallStatus.
  cl_int wait_until(const std::function<bool()>& done) noexcept;
  cl_int flush() noexcept { return session_->flush().ok() ? CL_SUCCESS : kLostCallStatus; }

  // Tells the node that the client's last reference is gone. Any thread, also from frame handlers.
  void release(wire::Handle handle) noexcept;

  // Events that await a completion from this node. The table holds no use.
  void add_event(Event& event) noexcept;
  void remove_event(Event& event) noexcept;

  std::mutex& events_mutex() noexcept { return events_lock_; }  // for fork

 private:
  void on_push(wire::Opcode opcode, wire::Reader& payload) override;
  void on_session_lost(const base::Error& why) override;
  void on_events_done(wire::Reader& payload);
  void record(const Event& event, std::span<const std::uint64_t> times) noexcept;
  void on_object_failed(wire::Reader& payload);
  void on_notify(wire::Reader& payload);
  Ref<Event> find_event(wire::Handle handle) noexcept;
  void grow_table();
  Event*& bucket(wire::Handle handle) noexcept { return buckets_[handle & (buckets_.size() - 1)]; }

  Runtime& runtime_;
  std::unique_ptr<core::NodeSession> session_;
  const std::size_t index_;
  std::mutex events_lock_;
  std::vector<Event*> buckets_;  // intrusive chains (Event::next_in_table_)
  std::size_t event_count_ = 0;
};

}  // namespace longwire::client::opencl
