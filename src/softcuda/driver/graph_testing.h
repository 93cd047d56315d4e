// What the tests of graphs share: a module, a stream, memory, and notes of what ran.
#pragma once

#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {

// Host functions note numbers here, in the order in which they run.
struct Notes {
  std::vector<int> numbers;
};
struct Note {
  Notes* notes = nullptr;
  int number = 0;
  static void write(void* data) {
    auto* note = static_cast<Note*>(data);
    note->notes->numbers.push_back(note->number);
  }
};

class GraphTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    ASSERT_EQ(cuModuleLoadData(&module_, kPtx), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleGetFunction(&fill_, module_, "fill"), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAlloc(&memory_, kWords * 4), CUDA_SUCCESS);
    ASSERT_EQ(cuMemsetD32(memory_, 0, kWords), CUDA_SUCCESS);
    ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  }
  void TearDown() override {
    if (graph_ != nullptr) {
      EXPECT_EQ(cuGraphDestroy(graph_), CUDA_SUCCESS);
    }
    EXPECT_EQ(cuMemFree(memory_), CUDA_SUCCESS);
    if (stream_ != nullptr) {
      EXPECT_EQ(cuStreamDestroy(stream_), CUDA_SUCCESS);
    }
    EXPECT_EQ(cuModuleUnload(module_), CUDA_SUCCESS);
    ContextTest::TearDown();
  }

  std::vector<unsigned> words() {
    std::vector<unsigned> all(kWords);
    EXPECT_EQ(cuMemcpyDtoH(all.data(), memory_, kWords * 4), CUDA_SUCCESS);
    return all;
  }
  CUresult fill(CUstream stream, unsigned value) {
    void* arguments[] = {&memory_, &value};
    return cuLaunchKernel(fill_, 1, 1, 1, kWords, 1, 1, 0, stream, arguments, nullptr);
  }
  CUDA_KERNEL_NODE_PARAMS fill_node(void** arguments) {
    CUDA_KERNEL_NODE_PARAMS p{};
    p.func = fill_;
    p.gridDimX = p.gridDimY = p.gridDimZ = p.blockDimY = p.blockDimZ = 1;
    p.blockDimX = kWords;
    p.kernelParams = arguments;
    return p;
  }
  CUgraphNode add_fill(unsigned value, const std::vector<CUgraphNode>& after = {}) {
    void* arguments[] = {&memory_, &value};
    const CUDA_KERNEL_NODE_PARAMS p = fill_node(arguments);
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddKernelNode(&node, graph_, after.data(), after.size(), &p), CUDA_SUCCESS);
    return node;
  }
  CUgraphNode add_note(Note& note, const std::vector<CUgraphNode>& after = {}) {
    const CUDA_HOST_NODE_PARAMS p{Note::write, &note};
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddHostNode(&node, graph_, after.data(), after.size(), &p), CUDA_SUCCESS);
    return node;
  }
  CUgraphNode add_empty(CUgraph graph, const std::vector<CUgraphNode>& after = {}) {
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddEmptyNode(&node, graph, after.data(), after.size()), CUDA_SUCCESS);
    return node;
  }
  CUgraphExec instantiate(CUgraph graph) {
    CUgraphExec exec = nullptr;
    EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
    return exec;
  }
  void launch(CUgraphExec exec) {
    ASSERT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
  }
  std::size_t node_count(CUgraph graph) {
    std::size_t count = 0;
    EXPECT_EQ(cuGraphGetNodes(graph, nullptr, &count), CUDA_SUCCESS);
    return count;
  }

  // Also for tables of calls.
 public:
  static constexpr unsigned kWords = 8;
  CUmodule module_ = nullptr;
  CUfunction fill_ = nullptr;
  CUstream stream_ = nullptr;
  CUdeviceptr memory_ = 0;
  CUgraph graph_ = nullptr;
};

}  // namespace longwire::softcuda::driver
