// Clearing: device memory that another tenant may have used is overwritten with zeros before this
// session can read it.
//
// At the creation, not at the release: so it also covers what a worker left behind that crashed,
// what other programs of the machine left, and it needs no wait for the commands that still use
// what is released. A creation that brings its contents needs none. The fill runs on a queue of its
// own, and every queue of the context waits for it at its place, so nothing waits on the host.
#pragma once

#include <array>
#include <cstddef>

#include <CL/cl.h>

#include "opencl/native_api.h"
#include "worker/opencl/objects.h"
#include "worker/opencl/session_limits.h"

namespace longwire::worker::opencl {

class Clearing {
 public:
  Clearing(const NativeApi& api, Scrub scrub) : api_(api), scrub_(scrub) {}

  bool wanted(const Context& context) const;
  // An error where the memory cannot be cleared: then the session must not have it.
  cl_int buffer(Context& context, cl_mem mem, std::size_t bytes) const;
  cl_int image(Context& context, cl_mem mem, const std::array<std::size_t, 3>& region) const;

 private:
  const NativeApi& api_;
  const Scrub scrub_;
};

}  // namespace longwire::worker::opencl
