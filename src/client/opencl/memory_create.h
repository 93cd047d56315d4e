// What the creation of buffers and images shares: telling the nodes, and the initial contents.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/enqueue.h"
#include "client/opencl/memory.h"
#include "client/opencl/transfer_rows.h"

namespace longwire::client::opencl {

// What the node is told of a memory object's flags: host pointers and the host's access mean
// nothing there (the client checks the latter, and needs to read what maps for writing show).
constexpr cl_mem_flags flags_for_node(cl_mem_flags flags) noexcept {
  return flags & kDeviceAccessFlags;
}

// Copies a zero-terminated list. None is known: CL_INVALID_PROPERTY for any.
cl_int read_memory_properties(const cl_mem_properties* properties,
                              std::vector<cl_mem_properties>* copy);

// Hands a new object over to the program, or takes it back where the nodes could not be told.
inline cl_int announce(Memory& memory, cl_int sent, Memory** created) noexcept {
  if (sent != CL_SUCCESS) {
    memory.release_api();
    return sent;
  }
  *created = &memory;
  return CL_SUCCESS;
}

// Sends a creation to every node of the context, with `contents` (none: no rows) as its data.
// Returns when the contents have been taken from the program's memory.
template <class M>
cl_int finish_creation(Memory& memory, M& message, const Rows& contents,
                       Memory** created) noexcept {
  Context& context = memory.context();
  std::unique_ptr<std::byte[]> packed;
  std::span<const std::byte> data;
  if (contents.first != nullptr) {
    context.runtime().pending_reads().wait_for(contents.reach());
    data = contents.span_or_pack(packed);
    if (data.empty()) return announce(memory, CL_OUT_OF_HOST_MEMORY, created);
  }
  cl_int result = CL_SUCCESS;
  for (Node* node : context.nodes()) {
    if (!data.empty()) message.data = node->session().make_blob(data);
    cl_int status = node->send(message);
    if (status == CL_SUCCESS && !data.empty() && !node->session().upload(message.data, data).ok())
      status = kLostCallStatus;
    if (status != CL_SUCCESS) result = status;
  }
  return announce(memory, result, created);
}

// The end of a clCreate* call: `make(&object)`'s status and handle, as the API returns them.
template <class Make>
cl_mem give_memory(cl_int* errcode_ret, Make&& make) noexcept {
  Memory* created = nullptr;
  const cl_int status = make(&created);
  if (errcode_ret != nullptr) *errcode_ret = status;
  return status == CL_SUCCESS ? to_cl<cl_mem>(created) : nullptr;
}

}  // namespace longwire::client::opencl
