#include "softcuda/driver/capture.h"

#include <algorithm>
#include <unordered_set>

namespace longwire::softcuda::driver {
namespace {

// Runs `body` with each stream of a capture that still is.
template <class Body>
void for_streams(const Capture& capture, Body&& body) {
  for (const auto& each : capture.streams)
    if (auto stream = each.lock(); stream != nullptr) body(*stream);
}

bool is_in_context(const Capture& capture, const Context& context, bool blocking_only) {
  bool found = false;
  for_streams(capture, [&](Stream& stream) {
    found |= stream.context().get() == &context && (!blocking_only || stream.blocks_with_legacy());
  });
  return found;
}

void release(Stream& stream) {
  stream.capture = nullptr;
  stream.capture_tail.clear();
  stream.capture_edges.clear();
  stream.capturing = false;
}

void set_tail(Stream& stream, std::vector<CUgraphNode> nodes) {
  stream.capture_tail = std::move(nodes);
  stream.capture_edges.assign(stream.capture_tail.size(), CUgraphEdgeData{});
}

void add_to_tail(Stream& stream, std::span<const CUgraphNode> nodes) {
  auto tail = stream.capture_tail;
  for (CUgraphNode node : nodes)
    if (std::find(tail.begin(), tail.end(), node) == tail.end()) tail.push_back(node);
  set_tail(stream, std::move(tail));
}

void enter(const std::shared_ptr<Capture>& capture, Stream& stream,
           std::span<const CUgraphNode> tail) {
  stream.capture = capture;
  set_tail(stream, {tail.begin(), tail.end()});
  stream.capturing = true;
  capture->streams.push_back(stream.weak_from_this());
}

// Whether all that the streams have captured comes before the end of the origin's.
bool is_joined(Driver& driver, const Capture& capture, const Stream& origin) {
  std::unordered_set<const GraphNode*> reached;
  std::vector<const GraphNode*> next;
  auto reach = [&](const GraphNode* node) {
    if (node != nullptr && reached.insert(node).second) next.push_back(node);
  };
  for (CUgraphNode each : origin.capture_tail)
    reach(driver.nodes.find(each).get());
  while (!next.empty()) {
    const GraphNode* node = next.back();
    next.pop_back();
    for (const GraphNode* before : node->dependencies)
      reach(before);
  }
  bool joined = true;
  for_streams(capture, [&](Stream& stream) {
    for (CUgraphNode each : stream.capture_tail)
      joined &= reached.contains(driver.nodes.find(each).get());
  });
  return joined;
}

// `keep`: the graph is the program's now.
void finish(Driver& driver, GraphLock& lock, const std::shared_ptr<Capture>& capture, bool keep) {
  for_streams(*capture, release);
  std::erase(driver.captures, capture);
  --driver.active_captures;
  if (!keep && !capture->graph_is_callers) destroy_graph(driver, lock, capture->graph);
}

// REQUIRES: the nodes are of the capture's graph, or this refuses.
CUresult check_nodes(Driver& driver, CUgraph graph, std::span<const CUgraphNode> nodes) {
  for (CUgraphNode each : nodes)
    if (auto node = driver.nodes.find(each); node == nullptr || node->graph->handle != graph)
      return CUDA_ERROR_INVALID_VALUE;
  return CUDA_SUCCESS;
}

CUresult join(Driver& driver, Stream& stream, const Event& event) {
  const std::shared_ptr<Capture> capture = event.capture.lock();
  if (capture == nullptr) return CUDA_ERROR_CAPTURED_EVENT;  // that capture has ended
  if (capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (stream.capture == capture) {
    add_to_tail(stream, event.capture_nodes);
    return CUDA_SUCCESS;
  }
  if (stream.capture != nullptr) {
    stream.capture->invalid = capture->invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_MERGE;
  }
  if (stream.kind() == Stream::Kind::kLegacy) {
    capture->invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  }
  if (CUresult status = check_nodes(driver, capture->graph, event.capture_nodes);
      status != CUDA_SUCCESS)
    return status;
  enter(capture, stream, event.capture_nodes);
  return CUDA_SUCCESS;
}

// REQUIRES: the stream captures.
CUresult add_captured(Driver& driver, Stream& stream, Operation operation) {
  Capture& capture = *stream.capture;
  if (capture.invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  auto graph = driver.graphs.find(capture.graph);
  CUgraphNode node = nullptr;
  CUresult status =
      graph == nullptr ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED
                       : add_node(driver, *graph, stream.capture_tail, std::move(operation), &node);
  if (status == CUDA_SUCCESS)
    set_tail(stream, {node});
  else
    capture.invalid = true;
  return status;
}

}  // namespace

CUstreamCaptureMode& thread_capture_mode() noexcept {
  static thread_local CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  return mode;
}

CUresult begin_capture(Driver& driver, Stream& stream, CUgraph graph,
                       std::span<const CUgraphNode> dependencies, CUstreamCaptureMode mode) {
  static std::atomic<std::uint64_t> next_id{1};
  if (mode < CU_STREAM_CAPTURE_MODE_GLOBAL || mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    return CUDA_ERROR_INVALID_VALUE;
  if (stream.kind() == Stream::Kind::kLegacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  GraphLock lock(driver);
  if (stream.capture != nullptr) return CUDA_ERROR_ILLEGAL_STATE;
  if (graph != nullptr && driver.graphs.find(graph) == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult status = check_nodes(driver, graph, dependencies); status != CUDA_SUCCESS)
    return status;
  auto capture = std::make_shared<Capture>();
  capture->id = next_id.fetch_add(1);
  capture->graph_is_callers = graph != nullptr;
  capture->graph = graph != nullptr ? graph : create_graph(driver)->handle;
  capture->origin = &stream;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  enter(capture, stream, {});
  add_to_tail(stream, dependencies);
  driver.captures.push_back(std::move(capture));
  ++driver.active_captures;
  return CUDA_SUCCESS;
}

CUresult end_capture(Driver& driver, Stream& stream, CUgraph* graph) {
  GraphLock lock(driver);
  const std::shared_ptr<Capture> capture = stream.capture;
  if (capture == nullptr) return CUDA_ERROR_ILLEGAL_STATE;
  if (capture->origin != &stream) {
    capture->invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  }
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
      capture->thread != std::this_thread::get_id())
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  CUresult status = CUDA_SUCCESS;
  if (capture->invalid || driver.graphs.find(capture->graph) == nullptr)
    status = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  else if (!is_joined(driver, *capture, stream))
    status = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
  *graph = status == CUDA_SUCCESS ? capture->graph : nullptr;
  finish(driver, lock, capture, status == CUDA_SUCCESS);
  return status;
}

CUresult capture_info(Driver& driver, Stream& stream, CaptureInfo& info) {
  if (driver.active_captures.load() == 0) return CUDA_SUCCESS;
  GraphLock lock(driver);
  const auto context = stream.context();
  if (stream.kind() == Stream::Kind::kLegacy && context != nullptr)
    for (const auto& capture : driver.captures)
      if (is_in_context(*capture, *context, true)) return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  if (stream.capture == nullptr) return CUDA_SUCCESS;
  const Capture& capture = *stream.capture;
  if (capture.invalid) {
    info.status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
    return CUDA_SUCCESS;
  }
  info = {CU_STREAM_CAPTURE_STATUS_ACTIVE,
          capture.id,
          capture.graph,
          stream.capture_tail.data(),
          stream.capture_edges.data(),
          stream.capture_tail.size()};
  return CUDA_SUCCESS;
}

CUresult update_capture(Driver& driver, Stream& stream, std::span<const CUgraphNode> dependencies,
                        bool add) {
  GraphLock lock(driver);
  if (stream.capture == nullptr) return CUDA_ERROR_ILLEGAL_STATE;
  if (stream.capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (CUresult status = check_nodes(driver, stream.capture->graph, dependencies);
      status != CUDA_SUCCESS)
    return status;
  if (!add) set_tail(stream, {});
  add_to_tail(stream, dependencies);
  return CUDA_SUCCESS;
}

void leave_capture(Driver& driver, Stream& stream) {
  if (!stream.capturing.load()) return;
  GraphLock lock(driver);
  const std::shared_ptr<Capture> capture = stream.capture;
  if (capture == nullptr) return;
  capture->invalid = true;
  if (capture->origin == &stream) {
    finish(driver, lock, capture, false);
    return;
  }
  std::erase_if(capture->streams, [&](const auto& each) { return each.lock().get() == &stream; });
  release(stream);
}

std::optional<CUresult> capture_operation(Driver& driver, Stream& stream, Operation& operation) {
  GraphLock lock(driver);
  if (stream.capture == nullptr) return std::nullopt;
  if (!can_be_node(operation))  // the capture has begun between two looks
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  return add_captured(driver, stream, std::move(operation));
}

std::optional<CUresult> capture_record(Driver& driver, Stream& stream, Event& event) {
  GraphLock lock(driver);
  if (stream.capture == nullptr) return std::nullopt;
  if (stream.capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  std::lock_guard own(event.mutex);
  event.capture_id = stream.capture->id;
  event.capture_nodes = stream.capture_tail;
  event.capture = stream.capture;
  return CUDA_SUCCESS;
}

std::optional<CUresult> capture_wait(Driver& driver, Stream& stream,
                                     const std::shared_ptr<Event>& event, CUevent handle,
                                     bool external) {
  GraphLock lock(driver);
  if (external) {
    if (stream.capture == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (event->shared != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
    return add_captured(driver, stream, EventWaitOperation{event, handle});
  }
  std::lock_guard own(event->mutex);
  if (event->capture_id != 0) return join(driver, stream, *event);
  if (stream.capture == nullptr) return std::nullopt;
  if (stream.capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  stream.capture->invalid = true;
  return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
}

CUresult check_legacy(Driver& driver, const Stream& stream) {
  if (stream.kind() != Stream::Kind::kLegacy || driver.active_captures.load() == 0)
    return CUDA_SUCCESS;
  const auto context = stream.context();
  GraphLock lock(driver);
  CUresult status = CUDA_SUCCESS;
  for (const auto& capture : driver.captures) {
    if (context == nullptr || !is_in_context(*capture, *context, true)) continue;
    capture->invalid = true;
    status = CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  }
  return status;
}

CUresult check_unsafe(Driver& driver) {
  if (driver.active_captures.load() == 0) return CUDA_SUCCESS;
  const CUstreamCaptureMode mine = thread_capture_mode();
  if (mine == CU_STREAM_CAPTURE_MODE_RELAXED) return CUDA_SUCCESS;
  GraphLock lock(driver);
  CUresult status = CUDA_SUCCESS;
  for (const auto& capture : driver.captures) {
    const bool own = capture->thread == std::this_thread::get_id();
    const bool minds = own ? capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED
                           : mine == CU_STREAM_CAPTURE_MODE_GLOBAL &&
                                 capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
    if (!minds) continue;
    capture->invalid = true;
    status = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  return status;
}

CUresult refuse_capture(Driver& driver, const Stream& stream) {
  if (!stream.capturing.load()) return CUDA_SUCCESS;
  GraphLock lock(driver);
  if (stream.capture == nullptr) return CUDA_SUCCESS;
  stream.capture->invalid = true;
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult refuse_capture(Driver& driver, const Context& context) {
  if (driver.active_captures.load() == 0) return CUDA_SUCCESS;
  GraphLock lock(driver);
  CUresult status = CUDA_SUCCESS;
  for (const auto& capture : driver.captures) {
    if (!is_in_context(*capture, context, false)) continue;
    capture->invalid = true;
    status = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  return status;
}

CUresult refuse_captured(Driver& driver, Event& event) {
  GraphLock lock(driver);
  std::lock_guard own(event.mutex);
  if (event.capture_id == 0) return CUDA_SUCCESS;
  if (auto capture = event.capture.lock(); capture != nullptr) capture->invalid = true;
  return CUDA_ERROR_CAPTURED_EVENT;
}

}  // namespace longwire::softcuda::driver
