// Threads of ours inside somebody else's process: every signal stays the program's.
#pragma once

#include <functional>
#include <thread>

namespace longwire::base {

// Starts a thread with all signals blocked. `name` shows in ps and gdb, at most 15 characters.
std::thread start_thread(const char* name, std::function<void()> body);

}  // namespace longwire::base
