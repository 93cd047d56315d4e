#include "session_rig.h"

#include <atomic>
#include <ostream>
#include <thread>
#include <utility>

#include "base/check.h"
#include "link/inproc/inproc.h"
#include "link/tcp/tcp.h"
#include "link/unix/unix.h"
#include "worker/core/worker.h"
#include "worker/opencl/backend.h"
#include "worker/opencl/system_driver.h"

namespace longwire::inproc {
namespace {

std::atomic<client::opencl::Runtime*> current_runtime{nullptr};

const base::Result<longwire::opencl::NativeApi>& system_driver() {
  static const auto* const driver =
      new base::Result<longwire::opencl::NativeApi>(worker::opencl::load_system_driver());
  return *driver;
}

base::Logger& logger() {
  static base::StderrLogger one(base::LogLevel::kError);
  return one;
}

template <class T>
T must(base::Result<T> result) {
  LW_CHECK(result.ok());
  return std::move(result).value();
}

}  // namespace

std::string name_of(const Setup& setup) {
  std::string name = setup.driver == Driver::kFake ? "fake" : "system";
  name += setup.transport == Transport::kInproc ? "_inproc"
          : setup.transport == Transport::kUnix ? "_unix"
                                                : "_tcp";
  return name + "_lanes" + std::to_string(setup.lanes);
}

void PrintTo(const Setup& setup, std::ostream* out) { *out << name_of(setup); }

std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> connect(Transport transport) {
  const auto soon = base::Deadline::in(base::monotonic_clock(), 10 * base::kSecond);
  switch (transport) {
    case Transport::kInproc:
      return link::make_inproc_pair();
    case Transport::kUnix: {
      auto ends = must(link::unix_socket_pair());
      return {must(link::make_unix_link(std::move(ends.first))),
              must(link::make_unix_link(std::move(ends.second)))};
    }
    case Transport::kTcp:
      break;
  }
  auto listener = must(link::TcpListener::listen({"127.0.0.1", 0}));
  auto ours = must(link::connect_tcp({"127.0.0.1", listener.port()}, soon));
  auto theirs = must(listener.accept(soon));
  return {must(link::make_tcp_link(std::move(ours))), must(link::make_tcp_link(std::move(theirs)))};
}

// --- nodes ---

namespace {

struct RunningWorker {
  RunningWorker(const longwire::opencl::NativeApi& api, std::unique_ptr<link::Link> link,
                session::SessionId id_)
      : id(id_),
        worker(base::monotonic_clock(), logger(), {}, worker::opencl::make_backend(api, nullptr)) {
    LW_CHECK(worker.adopt_main(std::move(link)).ok());
    thread = std::thread([this] { worker.run(); });
  }
  const session::SessionId id;
  worker::core::Worker worker;
  std::thread thread;
};

}  // namespace

struct Node::State {
  Transport transport;
  const longwire::opencl::NativeApi& api;
  unsigned lanes;
  std::mutex mutex;
  std::uint8_t sessions = 0;
  std::vector<std::unique_ptr<RunningWorker>> workers;
};

namespace {

class RigConnector final : public client::core::Connector {
 public:
  explicit RigConnector(std::shared_ptr<Node::State> state) : state_(std::move(state)) {}

  base::Result<Opened> open_session(base::Deadline) override {
    auto [ours, theirs] = connect(state_->transport);
    Opened opened;
    opened.link = std::move(ours);
    const std::lock_guard lock(state_->mutex);
    opened.welcome.session[0] = ++state_->sessions;
    opened.welcome.features = session::kFeatureOpenCl | session::kFeatureLanes;
    opened.welcome.lanes_wanted = state_->lanes;
    opened.welcome.eager_credit_bytes = worker::core::WorkerLimits{}.eager_credit_bytes;
    opened.welcome.node = "rig";
    state_->workers.push_back(
        std::make_unique<RunningWorker>(state_->api, std::move(theirs), opened.welcome.session));
    return opened;
  }
  base::Result<Opened> open_lane(const session::Welcome& session, std::uint32_t,
                                 base::Deadline) override {
    auto [ours, theirs] = connect(state_->transport);
    const std::lock_guard lock(state_->mutex);
    for (const auto& one : state_->workers) {
      if (one->id != session.session) continue;
      LW_TRY(one->worker.adopt_lane(std::move(theirs)));
      Opened opened;
      opened.link = std::move(ours);
      return opened;
    }
    return base::Error(base::ErrorCode::kNotFound, "no such session");
  }
  std::string node_name() const override { return "rig"; }

 private:
  const std::shared_ptr<Node::State> state_;  // shared with the node
};

}  // namespace

Node::Node(Transport transport, const longwire::opencl::NativeApi& api, unsigned lanes)
    : state_(new State{transport, api, lanes, {}, 0, {}}) {}

Node::~Node() {
  for (const auto& one : state_->workers)
    one->thread.join();
  state_->workers.clear();
}

void Node::die() {
  const std::lock_guard lock(state_->mutex);
  for (const auto& one : state_->workers)
    one->worker.stop({base::ErrorCode::kUnavailable, "the node goes"});
}

std::unique_ptr<client::core::Connector> Node::connector() {
  return std::make_unique<RigConnector>(state_);
}

// --- the rig ---

bool Rig::available(Driver driver) {
  if (driver == Driver::kFake) return true;
  cl_uint platforms = 0;
  return system_driver().ok() &&
         system_driver()->clGetPlatformIDs(0, nullptr, &platforms) == CL_SUCCESS && platforms > 0;
}

Rig::Rig(const Setup& setup, std::size_t nodes) {
  if (setup.driver == Driver::kFake) fake_ = std::make_unique<worker::fake::FakeDriver>();
  const auto& api = fake_ ? fake_->api() : system_driver().value();
  client::opencl::RuntimeOptions options;
  for (std::size_t i = 0; i < nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(setup.transport, api, setup.lanes));
    options.connectors.push_back(nodes_.back()->connector());
  }
  runtime_ = std::make_unique<client::opencl::Runtime>(std::move(options));
  current_runtime = runtime_.get();
}

std::size_t Rig::end() {
  runtime_.reset();
  nodes_.clear();
  return fake_ ? fake_->live_objects() : 0;
}

Rig::~Rig() {
  end();
  current_runtime = nullptr;
}

}  // namespace longwire::inproc

namespace longwire::client::opencl {

Runtime* process_runtime() noexcept { return inproc::current_runtime; }

}  // namespace longwire::client::opencl
