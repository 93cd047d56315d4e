#include "session_rig.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <ostream>
#include <thread>
#include <utility>

#include "base/check.h"
#include "cut_link.h"
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

constexpr std::uint64_t kGraceMs = 60'000;
constexpr base::Nanoseconds kGraceAfterCloseNs = 5 * base::kSecond;

struct RunningWorker {
  RunningWorker(const longwire::opencl::NativeApi& api, std::unique_ptr<link::Link> link,
                session::SessionId id_, bool introduces)
      : id(id_),
        worker(base::monotonic_clock(), logger(), limits(),
               worker::opencl::make_backend(api, nullptr)) {
    if (introduces) worker.introduce();
    LW_CHECK(worker.adopt_main(std::move(link)).ok());
    thread = std::thread([this] { worker.run(); });
  }
  static worker::core::WorkerLimits limits() {
    worker::core::WorkerLimits limits;
    limits.grace_ns = kGraceMs * base::kMillisecond;
    limits.grace_after_close_ns = kGraceAfterCloseNs;
    return limits;
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
  bool cuts;
  bool introduces;
  std::mutex mutex;
  std::uint8_t sessions = 0;
  std::vector<std::unique_ptr<RunningWorker>> workers;
  std::function<std::size_t()> cut_after;
  std::vector<CutAfter> links;

  // REQUIRES: mutex.
  std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> dial() {
    auto ends = connect(transport);
    if (!cuts) return ends;  // as it is, for those who count its system calls
    links.push_back(std::make_shared<std::atomic<std::size_t>>(next_cut()));
    ends.first = std::make_unique<CutLink>(std::move(ends.first), links.back());
    return ends;
  }
  std::size_t next_cut() const {
    return cut_after ? cut_after() : std::numeric_limits<std::size_t>::max();
  }
  RunningWorker* find(const session::SessionId& id) {
    const auto found =
        std::ranges::find_if(workers, [&](const auto& one) { return one->id == id; });
    return found == workers.end() ? nullptr : found->get();
  }
};

namespace {

class RigConnector final : public client::core::Connector {
 public:
  explicit RigConnector(std::shared_ptr<Node::State> state) : state_(std::move(state)) {}

  base::Result<Opened> open_session(base::Deadline) override {
    const std::lock_guard lock(state_->mutex);
    auto [ours, theirs] = state_->dial();
    Opened opened;
    opened.link = std::move(ours);
    opened.welcome.session[0] = ++state_->sessions;
    opened.welcome.features =
        session::kFeatureOpenCl | session::kFeatureLanes | session::kFeatureResume;
    if (state_->introduces) opened.welcome.features |= session::kFeatureIntroduction;
    opened.welcome.lanes_wanted = state_->lanes;
    opened.welcome.eager_credit_bytes = worker::core::WorkerLimits{}.eager_credit_bytes;
    opened.welcome.grace_ms = kGraceMs;
    opened.welcome.node = "rig";
    state_->workers.push_back(std::make_unique<RunningWorker>(
        state_->api, std::move(theirs), opened.welcome.session, state_->introduces));
    return opened;
  }
  base::Result<Opened> open_lane(const session::Welcome& session, std::uint32_t lane,
                                 base::Deadline) override {
    const std::lock_guard lock(state_->mutex);
    RunningWorker* const worker = state_->find(session.session);
    if (worker == nullptr) return no_session();
    auto [ours, theirs] = state_->dial();
    LW_TRY(worker->worker.adopt_lane(std::move(theirs), lane));
    Opened opened;
    opened.link = std::move(ours);
    return opened;
  }
  base::Result<Opened> open_resume(const session::Welcome& session,
                                   const std::function<wire::Sequence()>& received,
                                   base::Deadline) override {
    const std::lock_guard lock(state_->mutex);
    RunningWorker* const worker = state_->find(session.session);
    if (worker == nullptr) return no_session();
    const wire::Sequence client_received = received();
    const auto worker_received = worker->worker.meet_again(client_received);
    if (!worker_received.ok()) return no_session();
    auto [ours, theirs] = state_->dial();
    Opened opened;
    opened.link = std::move(ours);
    opened.welcome.received = *worker_received;
    worker->worker.resume(std::move(theirs), client_received);
    return opened;
  }
  std::string node_name() const override { return "rig"; }

 private:
  static base::Error no_session() { return {base::ErrorCode::kNotFound, "no such session"}; }
  const std::shared_ptr<Node::State> state_;  // shared with the node
};

}  // namespace

Node::Node(const Setup& setup, const longwire::opencl::NativeApi& api)
    : state_(new State{
          setup.transport, api, setup.lanes, setup.cuts, setup.introduces, {}, 0, {}, {}, {}}) {}

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

void Node::cut_links(std::function<std::size_t()> bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->cut_after = std::move(bytes);
  for (const CutAfter& left : state_->links)
    *left = state_->next_cut();
}

std::size_t Node::links() const {
  const std::lock_guard lock(state_->mutex);
  return state_->links.size();
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
    nodes_.push_back(std::make_unique<Node>(setup, api));
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
