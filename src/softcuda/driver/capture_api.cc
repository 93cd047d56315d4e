// Stream capture.
#include "softcuda/driver/capture.h"
#include "softcuda/driver/graph_params.h"

using namespace longwire::softcuda::driver;

namespace {

template <class Body>
CUresult with_stream(CUstream handle, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    return stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : body(driver, *stream);
  });
}

template <class T>
void put(T* place, T value) {
  if (place != nullptr) *place = value;
}

CUresult begin(CUstream handle, CUstreamCaptureMode mode) {
  return with_stream(handle, [&](Driver& driver, Stream& stream) {
    return begin_capture(driver, stream, nullptr, {}, mode);
  });
}

CUresult info(CUstream handle, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
              const CUgraphNode** dependencies, const CUgraphEdgeData** edges, size_t* count) {
  return with_stream(handle, [&](Driver& driver, Stream& stream) -> CUresult {
    if (status == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CaptureInfo found;
    if (CUresult result = capture_info(driver, stream, found); result != CUDA_SUCCESS)
      return result;
    *status = found.status;
    put<cuuint64_t>(id, found.id);
    put(graph, found.graph);
    put(dependencies, found.dependencies);
    put(edges, found.edges);
    put(count, found.count);
    return CUDA_SUCCESS;
  });
}

CUresult update(CUstream handle, const CUgraphNode* dependencies, const CUgraphEdgeData* edges,
                size_t count, unsigned int flags) {
  return with_stream(handle, [&](Driver& driver, Stream& stream) -> CUresult {
    if ((count > 0 && dependencies == nullptr) || count > kMaxGraphNodes ||
        flags > CU_STREAM_SET_CAPTURE_DEPENDENCIES)
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_edges(edges, count); status != CUDA_SUCCESS) return status;
    return update_capture(driver, stream, {dependencies, count},
                          flags == CU_STREAM_ADD_CAPTURE_DEPENDENCIES);
  });
}

}  // namespace

extern "C" {

CUresult cuStreamBeginCapture(CUstream stream) {
  return begin(stream, CU_STREAM_CAPTURE_MODE_GLOBAL);
}
CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode) {
  return begin(stream, mode);
}
CUresult cuStreamBeginCaptureToGraph(CUstream handle, CUgraph graph,
                                     const CUgraphNode* dependencies, const CUgraphEdgeData* edges,
                                     size_t count, CUstreamCaptureMode mode) {
  return with_stream(handle, [&](Driver& driver, Stream& stream) -> CUresult {
    if (graph == nullptr || (count > 0 && dependencies == nullptr) || count > kMaxGraphNodes)
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_edges(edges, count); status != CUDA_SUCCESS) return status;
    return begin_capture(driver, stream, graph, {dependencies, count}, mode);
  });
}

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  return guarded([&](Driver&) -> CUresult {
    if (mode == nullptr || *mode < CU_STREAM_CAPTURE_MODE_GLOBAL ||
        *mode > CU_STREAM_CAPTURE_MODE_RELAXED)
      return CUDA_ERROR_INVALID_VALUE;
    std::swap(*mode, thread_capture_mode());
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  return with_stream(handle, [&](Driver& driver, Stream& stream) {
    return graph == nullptr ? CUDA_ERROR_INVALID_VALUE : end_capture(driver, stream, graph);
  });
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  return info(stream, status, nullptr, nullptr, nullptr, nullptr, nullptr);
}
CUresult cuStreamGetCaptureInfo(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id) {
  return info(stream, status, id, nullptr, nullptr, nullptr, nullptr);
}
CUresult cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id,
                                   CUgraph* graph, const CUgraphNode** dependencies,
                                   size_t* count) {
  return info(stream, status, id, graph, dependencies, nullptr, count);
}
CUresult cuStreamGetCaptureInfo_v3(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id,
                                   CUgraph* graph, const CUgraphNode** dependencies,
                                   const CUgraphEdgeData** edges, size_t* count) {
  return info(stream, status, id, graph, dependencies, edges, count);
}

CUresult cuStreamUpdateCaptureDependencies(CUstream stream, CUgraphNode* dependencies, size_t count,
                                           unsigned int flags) {
  return update(stream, dependencies, nullptr, count, flags);
}
CUresult cuStreamUpdateCaptureDependencies_v2(CUstream stream, CUgraphNode* dependencies,
                                              const CUgraphEdgeData* edges, size_t count,
                                              unsigned int flags) {
  return update(stream, dependencies, edges, count, flags);
}

}  // extern "C"
