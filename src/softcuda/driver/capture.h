// Captures: what goes into a capturing stream becomes nodes of a graph instead of running. Streams
// come into a capture by waiting for an event that was recorded in it, and must be joined again
// before it ends. What breaks the rules makes the capture invalid: it must still be ended.
//
// Threads: every function takes the GraphLock, under which all of a capture is.
#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "softcuda/driver/graph.h"
#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {

struct Capture {
  std::uint64_t id = 0;
  CUgraph graph = nullptr;
  bool graph_is_callers = false;  // cuStreamBeginCaptureToGraph
  const Stream* origin = nullptr;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  bool invalid = false;
  std::vector<std::weak_ptr<Stream>> streams;
};

struct CaptureInfo {
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  std::uint64_t id = 0;
  CUgraph graph = nullptr;
  const CUgraphNode* dependencies = nullptr;  // the stream's, until it changes them
  const CUgraphEdgeData* edges = nullptr;
  std::size_t count = 0;
};

// How the calling thread takes captures: CU_STREAM_CAPTURE_MODE_GLOBAL at first.
CUstreamCaptureMode& thread_capture_mode() noexcept;

// `graph` NULL: a new one.
CUresult begin_capture(Driver& driver, Stream& stream, CUgraph graph,
                       std::span<const CUgraphNode> dependencies, CUstreamCaptureMode mode);
CUresult end_capture(Driver& driver, Stream& stream, CUgraph* graph);
CUresult capture_info(Driver& driver, Stream& stream, CaptureInfo& info);
CUresult update_capture(Driver& driver, Stream& stream, std::span<const CUgraphNode> dependencies,
                        bool add);
// The stream is about to be destroyed. Its capture is invalid then, or over if it began there.
void leave_capture(Driver& driver, Stream& stream);

// Makes a node of it; no value: the stream captures nothing.
std::optional<CUresult> capture_operation(Driver& driver, Stream& stream, Operation& operation);
std::optional<CUresult> capture_record(Driver& driver, Stream& stream, Event& event);
// No value: neither the stream nor the event has to do with a capture.
std::optional<CUresult> capture_wait(Driver& driver, Stream& stream,
                                     const std::shared_ptr<Event>& event, CUevent handle,
                                     bool external);

// Work in the legacy stream would depend on blocking streams of the context that capture.
CUresult check_legacy(Driver& driver, const Stream& stream);
// For calls that could wait for, or change, what other streams do: allocations, waits, queries.
CUresult check_unsafe(Driver& driver);
// For calls that a capturing stream, or a context with one, has no answer to.
CUresult refuse_capture(Driver& driver, const Stream& stream);
CUresult refuse_capture(Driver& driver, const Context& context);
CUresult refuse_captured(Driver& driver, Event& event);

}  // namespace longwire::softcuda::driver
