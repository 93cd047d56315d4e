// Threads of ours inside somebody else's process: every signal stays the program's.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>

namespace longwire::base {

// Starts a thread with all signals blocked. `name` shows in ps and gdb, at most 15 characters.
// Where the system gives no more threads (RLIMIT_NPROC, a container's limit, memory for a stack),
// what comes back is not joinable and the body has not run.
std::thread try_start_thread(const char* name, std::function<void()> body) noexcept;

// The same for a thread that nobody joins; false: the body has not run and will not. Begun
// detached: std::thread::detach() reads memory of the thread, which glibc (2.36) may have freed by
// then.
bool try_start_detached_thread(const char* name, std::function<void()> body) noexcept;

// For processes of our own: as try_start_thread(), ending the process where there is no thread.
std::thread start_thread(const char* name, std::function<void()> body) noexcept;

// Calls body(0) … body(count - 1) at once, the first on this thread, and returns when all have
// returned. Those that no thread can be had for run on this one, too.
void run_at_once(const char* name, std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace longwire::base
