#include "base/thread.h"

#include <pthread.h>

#include <csignal>
#include <exception>
#include <utility>
#include <vector>

#include "base/check.h"

namespace longwire::base {

std::thread try_start_thread(const char* name, std::function<void()> body) noexcept {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the new thread
  std::thread thread;
  try {
    thread = std::thread(std::move(body));
  } catch (const std::exception&) {
    // std::system_error or std::bad_alloc: there is no thread to be had.
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
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
