// For tests: a node in this process, on the other end of an in-process link. It answers what it is
// told to, records what it gets, and can vanish. No vendor driver, no worker.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/core/node_session.h"
#include "client/opencl/runtime.h"
#include "link/inproc/inproc.h"
#include "opencl/messages.h"
#include "session/stream.h"
#include "wire/reply.h"

namespace longwire::client::opencl::testing {

namespace msg = longwire::opencl::msg;
namespace push = longwire::opencl::push;
namespace record = longwire::opencl::record;

inline constexpr wire::Handle kFirstDevice = 0x0200000000000001;

// The infos of one device, owning their bytes.
class DeviceFacts {
 public:
  template <class T>
  DeviceFacts& set(cl_device_info param, T value) {
    infos_[param].resize(sizeof value);
    std::memcpy(infos_[param].data(), &value, sizeof value);
    return *this;
  }
  DeviceFacts& text(cl_device_info param, const std::string& text) {
    infos_[param].resize(text.size() + 1);
    std::memcpy(infos_[param].data(), text.c_str(), text.size() + 1);
    return *this;
  }
  record::device described(wire::Handle handle) const {
    record::device device;
    device.handle = handle;
    for (const auto& [param, value] : infos_)
      device.infos.push_back({param, CL_SUCCESS, value});
    return device;
  }
  static DeviceFacts plain() {
    struct Sizes {
      std::size_t of[3];
    };
    DeviceFacts facts;
    facts.text(CL_DEVICE_NAME, "fake")
        .text(CL_DEVICE_VERSION, "OpenCL 3.0 fake")
        .text(CL_DEVICE_EXTENSIONS, "cl_khr_fp64 cl_khr_gl_sharing cl_khr_int64_base_atomics")
        .set<cl_device_type>(CL_DEVICE_TYPE, CL_DEVICE_TYPE_GPU)
        .set<cl_bool>(CL_DEVICE_AVAILABLE, CL_TRUE)
        .set<cl_bool>(CL_DEVICE_IMAGE_SUPPORT, CL_TRUE)
        .set<cl_uint>(CL_DEVICE_ADDRESS_BITS, 64)
        .set<cl_uint>(CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, 3)
        .set<Sizes>(CL_DEVICE_MAX_WORK_ITEM_SIZES, {{256, 256, 64}})
        .set<std::size_t>(CL_DEVICE_MAX_WORK_GROUP_SIZE, 256)
        .set<cl_ulong>(CL_DEVICE_MAX_MEM_ALLOC_SIZE, 1 << 30)
        .set<cl_device_svm_capabilities>(CL_DEVICE_SVM_CAPABILITIES, 7)
        .set<cl_device_exec_capabilities>(CL_DEVICE_EXECUTION_CAPABILITIES,
                                          CL_EXEC_KERNEL | CL_EXEC_NATIVE_KERNEL)
        .set<cl_command_queue_properties>(
            CL_DEVICE_QUEUE_ON_HOST_PROPERTIES,
            CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_PROFILING_ENABLE);
    return facts;
  }

 private:
  std::map<cl_device_info, std::vector<std::byte>> infos_;
};

class FakeNode final : private session::FrameSink {
 public:
  FakeNode() : stream_(base::monotonic_clock(), {}, *this) {
    on<msg::DescribePlatforms>([this](const msg::DescribePlatforms& m) {
      msg::DescribePlatforms::Reply reply;
      reply.platforms.resize(1);
      for (std::size_t i = 0; i < devices.size(); ++i) {
        reply.platforms[0].devices.push_back(devices[i].described(kFirstDevice + i));
      }
      this->reply(m.token, CL_SUCCESS, reply);
    });
    on<msg::Finish>([this](const msg::Finish& m) { reply(m.token, CL_SUCCESS); });
  }
  ~FakeNode() { vanish(); }

  std::vector<DeviceFacts> devices = {DeviceFacts::plain()};

  // What to do with a message, on the fake's own thread. Messages without a handler are recorded.
  template <class M>
  void on(std::function<void(const M&)> handler) {
    const std::lock_guard lock(mutex_);
    handlers_[M::kOpcode] = [handler](wire::Reader& payload) {
      M message;
      decode(payload, message);
      ASSERT_TRUE(payload.finish().ok()) << M::kName;
      handler(message);
    };
  }

  void reply(wire::Token token, cl_int status) {
    frame(wire::kOpReply, wire::kReplyHeaderBytes, [&](wire::Writer& out) {
      wire::put_reply_header(out, {token, status});
    });
  }
  template <class R>
  void reply(wire::Token token, cl_int status, const R& fields) {
    frame(wire::kOpReply, wire::kReplyHeaderBytes + encoded_size(fields), [&](wire::Writer& out) {
      wire::put_reply_header(out, {token, status});
      encode(out, fields);
    });
  }
  void event_done(wire::Handle event, cl_int status, const std::vector<std::uint64_t>& times = {}) {
    push::EventsDone done;
    done.events.push_back({event, status, wire::U64View(std::as_bytes(std::span(times)))});
    frame(push::EventsDone::kOpcode, encoded_size(done),
          [&](wire::Writer& out) { encode(out, done); });
  }
  void object_failed(wire::Handle object, cl_int status) {
    frame(wire::kOpObjectFailed, 16, [&](wire::Writer& out) {
      out.u64(object);
      wire::put_i32(out, status);
    });
  }
  void standard_output(std::string_view text) {
    frame(wire::kOpStdout, 8 + wire::round_up_8(text.size()),
          [&](wire::Writer& out) { out.string(text); });
  }
  // Any frame, also broken ones.
  void frame(wire::Opcode opcode, std::size_t bytes,
             const std::function<void(wire::Writer&)>& write) {
    auto draft = stream_.begin(opcode, bytes);
    if (!draft.ok()) return;
    write(draft->writer());
    draft->commit();
    (void)stream_.flush();
  }

  // How many of them have come.
  std::size_t count(wire::Opcode opcode) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(seen_.begin(), seen_.end(), opcode));
  }
  // Waits until so many of them have been handled; gtest's time-out is the limit.
  void await(wire::Opcode opcode, std::size_t wanted = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return static_cast<std::size_t>(std::count(handled_.begin(), handled_.end(), opcode)) >=
             wanted;
    });
  }

  // The link ends as if the machine had lost its power.
  void vanish() {
    stop_ = true;
    stream_.shut_down(base::Error(base::ErrorCode::kClosed, "vanished"));
    if (thread_.joinable()) thread_.join();
  }

  std::unique_ptr<core::Connector> connector() { return std::make_unique<Connecting>(*this); }

 private:
  class Connecting final : public core::Connector {
   public:
    explicit Connecting(FakeNode& node) : node_(node) {}
    base::Result<Opened> open_session(base::Deadline) override {
      auto [ours, theirs] = link::make_inproc_pair();
      node_.accept(std::move(theirs));
      Opened opened;
      opened.link = std::move(ours);
      opened.welcome.eager_credit_bytes = 1 << 20;
      return opened;
    }
    base::Result<Opened> open_lane(const session::Welcome&, std::uint32_t,
                                   base::Deadline) override {
      return base::Error(base::ErrorCode::kUnsupported, "no lanes here");
    }
    std::string node_name() const override { return "fake"; }

   private:
    FakeNode& node_;
  };

  void accept(std::unique_ptr<link::Link> link) {
    ASSERT_TRUE(stream_.attach(std::move(link), 0).ok());
    thread_ = std::thread([this] {
      while (!stop_ && stream_.pump(base::Deadline::never()).ok()) {
      }
    });
  }

  base::Status on_frame(const session::Frame& frame) override {
    std::function<void(wire::Reader&)> handler;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(frame.opcode);
      const auto found = handlers_.find(frame.opcode);
      if (found != handlers_.end()) handler = found->second;
    }
    wire::Reader payload(frame.payload);
    if (handler) handler(payload);
    const std::lock_guard lock(mutex_);
    handled_.push_back(frame.opcode);
    changed_.notify_all();
    return {};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<wire::Opcode, std::function<void(wire::Reader&)>> handlers_;
  std::deque<wire::Opcode> seen_;     // before their handlers ran
  std::deque<wire::Opcode> handled_;  // after
  std::atomic<bool> stop_{false};
  session::Stream stream_;
  std::thread thread_;
};

// The process's runtime while a test runs; see client_test.cc.
void set_process_runtime(Runtime* runtime);

// A program's view: one node or several, and the platform over them.
class ClientTest : public ::testing::Test {
 protected:
  explicit ClientTest(std::size_t nodes = 1) : nodes_(nodes) {}
  void TearDown() override {
    set_process_runtime(nullptr);
    runtime_.reset();
  }
  FakeNode& node(std::size_t i = 0) { return nodes_[i]; }
  // Connects nothing yet. REQUIRES: once.
  Runtime& runtime() {
    if (runtime_) return *runtime_;
    RuntimeOptions options;
    for (FakeNode& node : nodes_)
      options.connectors.push_back(node.connector());
    runtime_ = std::make_unique<Runtime>(std::move(options));
    set_process_runtime(runtime_.get());
    return *runtime_;
  }

 private:
  std::deque<FakeNode> nodes_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace longwire::client::opencl::testing
