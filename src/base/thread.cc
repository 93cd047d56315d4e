#include "base/thread.h"

#include <pthread.h>

#include <csignal>
#include <exception>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/check.h"

namespace longwire::base {
namespace {

// While it lives this thread has every signal blocked, which threads begun by it inherit.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

struct Detached {
  const char* name;
  std::function<void()> body;
};

void* run_detached(void* its) noexcept {
  const std::unique_ptr<Detached> thread(static_cast<Detached*>(its));
  ::pthread_setname_np(::pthread_self(), thread->name);
  thread->body();
  return nullptr;
}

}  // namespace

bool try_start_detached_thread(const char* name, std::function<void()> body) noexcept {
  auto* its = new (std::nothrow) Detached{name, std::move(body)};
  if (its == nullptr) return false;
  const SignalsBlocked blocked;
  pthread_attr_t detached;
  ::pthread_attr_init(&detached);
  ::pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_t thread = {};
  const bool begun = ::pthread_create(&thread, &detached, run_detached, its) == 0;
  ::pthread_attr_destroy(&detached);
  if (!begun) delete its;
  return begun;
}

std::thread try_start_thread(const char* name, std::function<void()> body) noexcept {
  const SignalsBlocked blocked;
  std::thread thread;
  try {
    thread = std::thread(std::move(body));
  } catch (const std::exception&) {
    // std::system_error or std::bad_alloc: there is no thread to be had.
  }
  if (thread.joinable()) ::pthread_setname_np(thread.native_handle(), name);
  return thread;
}

std::thread start_thread(const char* name, std::function<void()> body) noexcept {
  std::thread thread = try_start_thread(name, std::move(body));
  LW_CHECK(thread.joinable());
  return thread;
}

void run_at_once(const char* name, std::size_t count,
                 const std::function<void(std::size_t)>& body) {
  std::vector<std::thread> others;
  others.reserve(count);
  std::size_t started = 1;
  for (; started < count; ++started) {
    std::thread other = try_start_thread(name, [&body, started] { body(started); });
    if (!other.joinable()) break;
    others.push_back(std::move(other));
  }
  if (count > 0) body(0);
  for (; started < count; ++started)
    body(started);
  for (std::thread& other : others)
    other.join();
}

}  // namespace longwire::base
