// Contexts, and which is current in a thread.
#pragma once

#include <memory>

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

// Of each thread, the current one last. It is there until the thread's very end; the main thread's
// until the end of the process.
std::vector<CUcontext>& context_stack();

std::shared_ptr<Context> make_context(Driver& driver, Device& device, unsigned int flags,
                                      unsigned int api_version, bool primary);
// Ends its streams when their work is done, and gives back its modules and memory.
CUresult destroy_context(Driver& driver, CUcontext handle);
// Waits for all work of all streams.
CUresult synchronize_context(Context& context);
// Of each stream that has not ended its work: the last of it. REQUIRES: the context's `order`.
struct UnfinishedWork {
  std::shared_ptr<Stream> stream;
  CompletionPtr last;
};
std::vector<UnfinishedWork> unfinished_work(const Context& context);
bool are_context_flags(unsigned int flags) noexcept;

}  // namespace longwire::softcuda::driver
