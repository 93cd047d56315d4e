// For tests and fuzzers: a worker in this process, and a client that speaks raw messages to it.
#pragma once

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "link/inproc/inproc.h"
#include "opencl/messages.h"
#include "session/bulk.h"
#include "session/stream.h"
#include "wire/fields.h"
#include "wire/opcodes.h"
#include "wire/reply.h"
#include "worker/core/worker.h"
#include "worker/opencl/backend.h"

namespace longwire::worker::opencl::testing {

namespace msg = longwire::opencl::msg;

// A worker on `api`, running on a thread of its own until the client says goodbye or goes.
class WorkerThread {
 public:
  WorkerThread(const NativeApi& api, std::unique_ptr<link::Link> link, StdoutPipe* output = nullptr,
               core::WorkerLimits limits = {}, const std::filesystem::path& build_cache = {},
               const SessionLimits& share = {})
      : worker_(base::monotonic_clock(), logger_, limits,
                make_backend(api, output, build_cache, share)) {
    const auto adopted = worker_.adopt_main(std::move(link));
    LW_CHECK(adopted.ok());
    thread_ = std::thread([this] { exit_ = worker_.run(); });
  }
  ~WorkerThread() { join(); }
  core::Worker& worker() { return worker_; }
  core::ExitCode join() {
    if (thread_.joinable()) thread_.join();
    return exit_;
  }

 private:
  base::StderrLogger logger_{base::LogLevel::kError};
  core::Worker worker_;
  std::thread thread_;
  core::ExitCode exit_ = core::ExitCode::kEnded;
};

// One thread sends, pumps and looks.
class RawClient final : public session::FrameSink {
 public:
  explicit RawClient(std::unique_ptr<link::Link> link)
      : stream_(base::monotonic_clock(), {}, *this), bulk_(base::monotonic_clock(), stream_) {
    const auto attached = stream_.attach(std::move(link), 0);
    LW_CHECK(attached.ok());
  }
  ~RawClient() override { goodbye(); }

  struct Done {
    std::int32_t status;
    std::vector<std::uint64_t> times;
  };
  struct Reply {
    std::int32_t status = 1;
    std::vector<std::byte> payload;  // behind the header
  };

  session::Stream& stream() { return stream_; }
  session::BulkPort& bulk() { return bulk_; }
  Handle handle(Kind kind) { return make_handle(kind, ++last_handle_); }
  wire::Token token() { return ++last_token_; }

  template <class M>
  void send(const M& message) {
    auto draft = stream_.begin(M::kOpcode, encoded_size(message));
    if (!draft.ok()) return;
    encode(draft->writer(), message);
    draft->commit();
  }
  void send_raw(wire::Opcode opcode, std::span<const std::byte> payload) {
    auto draft = stream_.begin(opcode, payload.size());
    if (!draft.ok()) return;
    draft->writer().raw(payload);
    draft->commit();
  }

  // Sends, waits for the reply and gives its status; the fields go to `fields`, whose views stay
  // valid until the client goes.
  template <class M>
  std::int32_t call(M message, typename M::Reply* fields) {
    const Reply& reply = ask(std::move(message));
    wire::Reader in(reply.payload);
    if (fields != nullptr && in.remaining() > 0) decode(in, *fields);
    return reply.status;
  }
  template <class M>
  std::int32_t call(M message) {
    return ask(std::move(message)).status;
  }
  template <class M>
  const Reply& ask(M message) {
    message.token = token();
    send(message);
    await([&] { return replies.count(message.token) != 0; });
    return replies[message.token];
  }

  // Pumps until `done()`; false when that takes too long or the session has ended.
  template <class F>
  bool await(F&& done) {
    const auto deadline = base::Deadline::in(base::monotonic_clock(), 20 * base::kSecond);
    while (!done()) {
      if (base::monotonic_clock().now_ns() > deadline.at_ns) return false;
      const auto pumped =
          stream_.pump(base::Deadline::in(base::monotonic_clock(), 20 * base::kMillisecond));
      if (!pumped.ok()) return done();
    }
    return true;
  }
  bool await_event(Handle event) {
    return await([&] { return events.count(event) != 0; });
  }
  void goodbye() {
    if (!std::exchange(said_goodbye_, true) && !stream_.ended()) (void)stream_.say_goodbye();
    bulk_.shut_down({base::ErrorCode::kClosed, "over"});
    stream_.shut_down({base::ErrorCode::kClosed, "over"});
  }

  std::map<wire::Token, Reply> replies;
  std::map<Handle, Done> events;  // the last report of each
  std::map<Handle, int> reports;  // how many
  std::vector<std::pair<Handle, std::int32_t>> failures;
  std::string output;
  std::vector<std::uint64_t> grants;
  std::vector<std::uint64_t> aborts;
  std::uint64_t credit = 0;
  std::vector<std::string> order;  // "reply 3", "event 7", "output", in order of arrival

 private:
  base::Status on_frame(const session::Frame& frame) override {
    wire::Reader in(frame.payload);
    switch (frame.opcode) {
      case wire::kOpReply: {
        const auto header = wire::get_reply_header(in);
        auto& reply = replies[header.token];
        reply.status = header.status;
        const auto rest = in.raw(in.remaining());
        reply.payload.assign(rest.begin(), rest.end());
        order.push_back("reply " + std::to_string(header.token));
        return {};
      }
      case wire::kOpEventsDone: {
        longwire::opencl::push::EventsDone done;
        decode(in, done);
        for (const auto& one : done.events) {
          auto& its = events[one.event];
          its.status = one.status;
          its.times.clear();
          for (std::size_t i = 0; i < one.times.size(); ++i)
            its.times.push_back(one.times[i]);
          ++reports[one.event];
          order.push_back("event " + std::to_string(one.event & 0xFFFFFFFF));
        }
        return in.finish();
      }
      case wire::kOpObjectFailed: {
        const Handle handle = in.u64();
        failures.emplace_back(handle, wire::get_i32(in, "status"));
        return in.finish();
      }
      case wire::kOpStdout: {
        output += in.string();
        order.emplace_back("output");
        return in.finish();
      }
      case wire::kOpBulkGrant:
        grants.push_back(in.u64());
        return in.finish();
      case wire::kOpBulkAbort:
        aborts.push_back(in.u64());
        return in.finish();
      case wire::kOpBulkCredit:
        credit += in.u64();
        return in.finish();
      case wire::kOpBulkData:
        return bulk_.on_stream_chunk(frame.payload);
      default:
        return {};
    }
  }

  session::Stream stream_;
  session::BulkPort bulk_;
  std::uint64_t last_handle_ = 0;
  wire::Token last_token_ = 0;
  bool said_goodbye_ = false;
};

}  // namespace longwire::worker::opencl::testing
