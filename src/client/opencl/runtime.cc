#include "client/opencl/runtime.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "base/thread.h"
#include "client/opencl/context.h"
#include "client/opencl/node.h"
#include "client/opencl/object_memory.h"
#include "client/opencl/platform.h"

namespace longwire::client::opencl {

Runtime::Runtime(RuntimeOptions options) : options_(std::move(options)) {
  platform_ = Ref<Platform>::adopt(new Platform(*this));
}

Runtime::~Runtime() {
  callbacks_.stop();
  for (const auto& node : nodes_)
    node->end();
  platform_ = {};
}

const std::vector<std::unique_ptr<Node>>& Runtime::nodes() noexcept {
  std::call_once(connect_once_, [this] { connect_all(); });
  return nodes_;
}

namespace {

// Connecting to all nodes at once. Shared by the threads that connect and the one that waits: name
// resolution knows no time-out of ours, so a thread may come back when nobody waits any more.
struct Connecting {
  struct Attempt {
    std::unique_ptr<core::NodeSession> session;
    std::string name;
    std::optional<base::Status> outcome;
  };
  std::mutex lock;
  std::condition_variable changed;
  std::vector<Attempt> attempts;
  std::size_t under_way = 0;

  void finish(Attempt& attempt, base::Status status) {
    const std::lock_guard held(lock);
    attempt.outcome = std::move(status);
    --under_way;
    changed.notify_one();
  }
  // Takes what has succeeded; says what has not.
  std::vector<std::unique_ptr<core::NodeSession>> take(std::string& failed) {
    std::vector<std::unique_ptr<core::NodeSession>> sessions;
    for (Attempt& attempt : attempts) {
      if (attempt.outcome && attempt.outcome->ok()) {
        sessions.push_back(std::move(attempt.session));
        continue;
      }
      failed += (failed.empty() ? "" : "; ") + attempt.name + ": " +
                (attempt.outcome ? attempt.outcome->error().message() : "no answer in time");
    }
    return sessions;
  }
};

}  // namespace

void Runtime::connect_all() noexcept {
  const auto connecting = std::make_shared<Connecting>();
  connecting->attempts.resize(options_.connectors.size());
  connecting->under_way = connecting->attempts.size();
  const auto deadline = base::Deadline::in(clock(), options_.connect_timeout_ns);
  for (std::size_t i = 0; i < connecting->attempts.size(); ++i) {
    auto& attempt = connecting->attempts[i];
    attempt.session =
        std::make_unique<core::NodeSession>(clock(), std::move(options_.connectors[i]));
    attempt.name = attempt.session->node_name();
    const bool begun =
        base::try_start_detached_thread("lw-connect", [connecting, &attempt, deadline] {
          connecting->finish(attempt, attempt.session->connect(deadline));
        });
    if (!begun) {  // a session needs some of its own
      connecting->finish(attempt, base::Error(base::ErrorCode::kLimit, "cannot start a thread"));
    }
  }
  std::string failed;
  const base::Nanoseconds began_ns = clock().now_ns();
  {
    std::unique_lock held(connecting->lock);
    connecting->changed.wait_for(
        held, std::chrono::nanoseconds(options_.connect_timeout_ns + kConnectGrace),
        [&] { return connecting->under_way == 0; });
    for (auto& session : connecting->take(failed)) {
      nodes_.push_back(std::make_unique<Node>(*this, std::move(session), nodes_.size()));
    }
  }
  ++core::thread_counters().waits;
  core::thread_counters().blocked_ns += clock().now_ns() - began_ns;
  if (!failed.empty()) say("no devices from " + failed);
}

void Runtime::say(const std::string& line) noexcept {
  const std::string whole = "longwire: " + line + "\n";
  (void)std::fwrite(whole.data(), 1, whole.size(), stderr);
}

// --- objects by handle ---

void Runtime::add_object(Object& object) noexcept {
  const std::lock_guard lock(objects_lock_);
  objects_[object.handle()] = &object;
}

void Runtime::remove_object(Object& object) noexcept {
  const std::lock_guard lock(objects_lock_);
  objects_.erase(object.handle());
}

Ref<Object> Runtime::find_object(wire::Handle handle) noexcept {
  const std::lock_guard lock(objects_lock_);
  const auto found = objects_.find(handle);
  if (found == objects_.end() || !found->second->try_use()) return {};
  return Ref<Object>::adopt(found->second);
}

// --- for all of a process ---

void Runtime::say_lost(Node& node, const base::Error& why) noexcept {
  std::vector<Ref<Object>> contexts;
  {
    const std::lock_guard lock(objects_lock_);
    for (const auto& [handle, object] : objects_) {
      if (object->kind() != Kind::kContext || !object->try_use()) continue;
      contexts.push_back(Ref<Object>::adopt(object));
    }
  }
  const std::string message =
      "longwire: the session with " + node.session().node_name() + " is lost: " + why.message();
  for (const Ref<Object>& object : contexts) {
    auto& context = static_cast<Context&>(*object);
    const auto nodes = context.nodes();
    if (std::find(nodes.begin(), nodes.end(), &node) != nodes.end()) context.notify(message);
  }
}

std::vector<core::NodeFacts> Runtime::node_facts() const {
  std::vector<core::NodeFacts> facts;
  for (const auto& node : nodes_)
    facts.push_back({node->session().node_name(), node->session().counters()});
  return facts;
}

void Runtime::say_goodbye() noexcept {
  for (const auto& node : nodes_)
    node->session().say_goodbye();
}

void Runtime::before_fork() noexcept {
  objects_lock_.lock();
  callbacks_.mutex().lock();
  for (const auto& node : nodes_) {
    node->events_mutex().lock();
    node->session().before_fork();
  }
  g_object_memory.mutex().lock();  // last: objects are made and end under any of the others
}

void Runtime::after_fork(bool in_child) noexcept {
  g_object_memory.mutex().unlock();
  for (const auto& node : nodes_) {
    node->session().after_fork(in_child);
    node->events_mutex().unlock();
  }
  callbacks_.mutex().unlock();
  objects_lock_.unlock();
}

}  // namespace longwire::client::opencl
