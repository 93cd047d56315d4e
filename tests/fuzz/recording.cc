#include "fuzz/recording.h"

#include <atomic>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "client/opencl/runtime.h"
#include "fuzz/program.h"
#include "link/inproc/inproc.h"
#include "wire/frame_codec.h"
#include "worker/core/worker.h"
#include "worker/fake/fake_driver.h"
#include "worker/opencl/backend.h"

namespace longwire::fuzz {
namespace {

std::atomic<client::opencl::Runtime*> g_runtime{nullptr};

// What went over a link; outlives it.
struct Traffic {
  std::mutex mutex;
  Bytes read;
  Bytes written;
};

class TapLink final : public link::Link {
 public:
  TapLink(std::unique_ptr<link::Link> link, Traffic& traffic)
      : link_(std::move(link)), traffic_(traffic) {}
  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    auto read = link_->read_some(out);
    const std::lock_guard lock(traffic_.mutex);
    if (read.ok()) append(traffic_.read, out.first(*read));
    return read;
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer> parts) override {
    auto written = link_->write_some(parts);
    const std::lock_guard lock(traffic_.mutex);
    std::size_t left = written.ok() ? *written : 0;
    for (const link::ConstBuffer part : parts) {
      const std::size_t n = std::min(left, part.size());
      append(traffic_.written, part.first(n));
      left -= n;
    }
    return written;
  }
  base::Result<link::Readiness> wait(link::Interest interest, base::Deadline deadline) override {
    return link_->wait(interest, deadline);
  }
  void wake() noexcept override { link_->wake(); }
  void close() noexcept override { link_->close(); }
  link::LinkInfo info() const override { return link_->info(); }

 private:
  std::unique_ptr<link::Link> link_;
  Traffic& traffic_;
};

class OneSession final : public client::core::Connector {
 public:
  explicit OneSession(std::unique_ptr<link::Link> link) : link_(std::move(link)) {}
  base::Result<Opened> open_session(base::Deadline) override {
    Opened opened;
    opened.link = std::move(link_);
    opened.welcome.eager_credit_bytes = std::uint64_t{1} << 20;
    return opened;
  }
  base::Result<Opened> open_lane(const session::Welcome&, std::uint32_t, base::Deadline) override {
    return base::Error(base::ErrorCode::kUnsupported, "no lanes here");
  }
  std::string node_name() const override { return "recorded"; }

 private:
  std::unique_ptr<link::Link> link_;
};

std::vector<Message> numbered_frames(std::span<const std::byte> bytes) {
  std::vector<Message> messages;
  while (bytes.size() >= wire::kFrameHeaderBytes) {
    const auto header = wire::decode_frame_header(bytes.first<wire::kFrameHeaderBytes>());
    const auto payload = bytes.subspan(wire::kFrameHeaderBytes, header.payload_bytes);
    if ((header.flags & wire::kFrameUnnumbered) == 0) {
      messages.push_back({header.opcode, Bytes(payload.begin(), payload.end())});
    }
    bytes = bytes.subspan(wire::kFrameHeaderBytes + header.payload_bytes);
  }
  return messages;
}

}  // namespace

void run_program_on(std::unique_ptr<client::core::Connector> connector, std::uint32_t sections) {
  client::opencl::RuntimeOptions options;
  options.connectors.push_back(std::move(connector));
  client::opencl::Runtime runtime(std::move(options));
  g_runtime = &runtime;
  run_program(sections);
  g_runtime = nullptr;
}

Recording record_session(std::uint32_t sections) {
  worker::fake::FakeDriver driver;
  Traffic traffic;
  auto [ours, theirs] = link::make_inproc_pair();
  base::StderrLogger logger(base::LogLevel::kError);
  worker::core::Worker worker(base::monotonic_clock(), logger, {},
                              worker::opencl::make_backend(driver.api(), nullptr));
  const auto adopted = worker.adopt_main(std::move(theirs));
  LW_CHECK(adopted.ok());
  std::thread running([&] { worker.run(); });
  run_program_on(std::make_unique<OneSession>(std::make_unique<TapLink>(std::move(ours), traffic)),
                 sections);
  running.join();
  Recording recording;
  recording.from_client = numbered_frames(traffic.written);
  recording.from_worker = numbered_frames(traffic.read);
  recording.client_bytes = std::move(traffic.written);
  return recording;
}

}  // namespace longwire::fuzz

namespace longwire::client::opencl {

Runtime* process_runtime() noexcept { return fuzz::g_runtime; }

}  // namespace longwire::client::opencl
