// Conditional nodes: what chooses their bodies, and what may be in those.
#include "softcuda/driver/graph_testing.h"

namespace longwire::softcuda::driver {
namespace {

// set: sets a condition. down: counts p[0] down, and sets the condition to what is left.
constexpr const char* kSetters = R"(
.version 8.4
.target sm_80
.address_size 64
.extern .func cudaGraphSetConditional(.param .b64 handle, .param .b32 value);

.visible .entry set(.param .u64 handle, .param .u32 value)
{
  .reg .b32 %r<2>;
  .reg .b64 %rd<2>;
  ld.param.u64 %rd1, [handle];
  ld.param.u32 %r1, [value];
  {
    .param .b64 a;
    .param .b32 b;
    st.param.b64 [a], %rd1;
    st.param.b32 [b], %r1;
    call.uni cudaGraphSetConditional, (a, b);
  }
  ret;
}

.visible .entry down(.param .u64 handle, .param .u64 p)
{
  .reg .b32 %r<3>;
  .reg .b64 %rd<3>;
  ld.param.u64 %rd1, [handle];
  ld.param.u64 %rd2, [p];
  ld.global.u32 %r1, [%rd2];
  sub.u32 %r2, %r1, 1;
  st.global.u32 [%rd2], %r2;
  {
    .param .b64 a;
    .param .b32 b;
    st.param.b64 [a], %rd1;
    st.param.b32 [b], %r2;
    call.uni cudaGraphSetConditional, (a, b);
  }
  ret;
}
)";

class GraphConditionTest : public GraphTest {
 protected:
  void SetUp() override {
    GraphTest::SetUp();
    ASSERT_EQ(cuModuleLoadData(&setters_, kSetters), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleGetFunction(&set_, setters_, "set"), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleGetFunction(&down_, setters_, "down"), CUDA_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(cuModuleUnload(setters_), CUDA_SUCCESS);
    GraphTest::TearDown();
  }
  CUgraphConditionalHandle condition(unsigned value, unsigned flags) {
    CUgraphConditionalHandle handle = 0;
    EXPECT_EQ(cuGraphConditionalHandleCreate(&handle, graph_, context_, value, flags),
              CUDA_SUCCESS);
    return handle;
  }
  CUresult add(CUgraph graph, CUgraphConditionalHandle handle, CUgraphConditionalNodeType type,
               unsigned size, const std::vector<CUgraphNode>& after = {}) {
    CUgraphNodeParams p{};
    p.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
    p.conditional.handle = handle;
    p.conditional.type = type;
    p.conditional.size = size;
    p.conditional.ctx = context_;
    CUresult status = cuGraphAddNode(&node_, graph, after.data(), nullptr, after.size(), &p);
    bodies_ = p.conditional.phGraph_out;
    return status;
  }
  // What `body` does, so that it can be seen: one word becomes the value.
  void add_write(CUgraph body, unsigned word, unsigned value) {
    const CUDA_MEMSET_NODE_PARAMS p{memory_ + word * 4, 0, value, 4, 1, 1};
    CUgraphNode node = nullptr;
    ASSERT_EQ(cuGraphAddMemsetNode(&node, body, nullptr, 0, &p, context_), CUDA_SUCCESS);
  }
  CUgraphNode add_kernel(CUgraph graph, CUfunction function, void** arguments,
                         const std::vector<CUgraphNode>& after = {}) {
    CUDA_KERNEL_NODE_PARAMS p{};
    p.func = function;
    p.gridDimX = p.gridDimY = p.gridDimZ = p.blockDimX = p.blockDimY = p.blockDimZ = 1;
    p.kernelParams = arguments;
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddKernelNode(&node, graph, after.data(), after.size(), &p), CUDA_SUCCESS);
    return node;
  }

  CUmodule setters_ = nullptr;
  CUfunction set_ = nullptr, down_ = nullptr;
  CUgraphNode node_ = nullptr;
  CUgraph* bodies_ = nullptr;
};

TEST_F(GraphConditionTest, default_values_choose_the_bodies) {
  const struct {
    CUgraphConditionalNodeType type;
    unsigned size, value;
  } cases[] = {{CU_GRAPH_COND_TYPE_IF, 1, 5},     {CU_GRAPH_COND_TYPE_IF, 1, 0},
               {CU_GRAPH_COND_TYPE_IF, 2, 0},     {CU_GRAPH_COND_TYPE_WHILE, 1, 0},
               {CU_GRAPH_COND_TYPE_SWITCH, 3, 2}, {CU_GRAPH_COND_TYPE_SWITCH, 3, 3}};
  for (unsigned word = 0; word < std::size(cases); ++word) {
    const auto& each = cases[word];
    ASSERT_EQ(
        add(graph_, condition(each.value, CU_GRAPH_COND_ASSIGN_DEFAULT), each.type, each.size),
        CUDA_SUCCESS);
    for (unsigned body = 0; body < each.size; ++body)
      add_write(bodies_[body], word, body + 1);
  }
  launch(instantiate(graph_));
  const std::vector<unsigned> got = words();
  EXPECT_EQ(std::vector<unsigned>(got.begin(), got.begin() + std::size(cases)),
            (std::vector<unsigned>{1, 0, 2, 0, 3, 0}));
}

TEST_F(GraphConditionTest, a_kernel_ends_a_loop) {
  unsigned rounds = 5;
  CUgraphConditionalHandle handle = condition(1, CU_GRAPH_COND_ASSIGN_DEFAULT);
  void* arguments[] = {&handle, &memory_};
  ASSERT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_WHILE, 1), CUDA_SUCCESS);
  add_kernel(bodies_[0], down_, arguments);
  CUgraphExec exec = instantiate(graph_);
  for (int i = 0; i < 2; ++i) {  // the default comes back with each launch
    ASSERT_EQ(cuMemsetD32(memory_, rounds, 1), CUDA_SUCCESS);
    launch(exec);
    EXPECT_EQ(words()[0], 0U);
  }
}

TEST_F(GraphConditionTest, a_kernel_chooses_and_without_a_default_the_value_stays) {
  CUgraphConditionalHandle handle = condition(7, 0);
  unsigned value = 1;
  void* arguments[] = {&handle, &value};
  CUgraphNode set = add_kernel(graph_, set_, arguments);
  ASSERT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_SWITCH, 2, {set}), CUDA_SUCCESS);
  add_write(bodies_[1], 0, 9);
  CUgraphExec exec = instantiate(graph_);
  launch(exec);
  EXPECT_EQ(words()[0], 9U);
  ASSERT_EQ(cuMemsetD32(memory_, 0, kWords), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphNodeSetEnabled(exec, set, 0), CUDA_SUCCESS);
  launch(exec);
  EXPECT_EQ(words()[0], 9U);
  EXPECT_EQ(cuGraphNodeSetEnabled(exec, node_, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphConditionTest, bodies_have_conditions_and_branches_of_their_own) {
  const CUgraphConditionalHandle outer = condition(1, CU_GRAPH_COND_ASSIGN_DEFAULT);
  const CUgraphConditionalHandle inner = condition(0, CU_GRAPH_COND_ASSIGN_DEFAULT);
  ASSERT_EQ(add(graph_, outer, CU_GRAPH_COND_TYPE_IF, 1), CUDA_SUCCESS);
  CUgraph body = bodies_[0];
  for (unsigned word = 0; word < 4; ++word)
    add_write(body, word, 1);
  ASSERT_EQ(add(body, inner, CU_GRAPH_COND_TYPE_IF, 2), CUDA_SUCCESS);
  add_write(bodies_[1], 4, 2);
  launch(instantiate(graph_));
  EXPECT_EQ(words(), (std::vector<unsigned>{1, 1, 1, 1, 2, 0, 0, 0}));
}

TEST_F(GraphConditionTest, an_update_takes_the_bodies_of_a_like_graph) {
  ASSERT_EQ(add(graph_, condition(1, CU_GRAPH_COND_ASSIGN_DEFAULT), CU_GRAPH_COND_TYPE_IF, 1),
            CUDA_SUCCESS);
  add_write(bodies_[0], 0, 1);
  CUgraphExec exec = instantiate(graph_);
  for (const unsigned value : {1U, 2U}) {
    ASSERT_EQ(cuGraphDestroy(graph_), CUDA_SUCCESS);
    ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
    ASSERT_EQ(add(graph_, condition(value, CU_GRAPH_COND_ASSIGN_DEFAULT), CU_GRAPH_COND_TYPE_IF, 1),
              CUDA_SUCCESS);
    add_write(bodies_[0], 0, 3 * value);
    CUgraphExecUpdateResultInfo info{};
    EXPECT_EQ(cuGraphExecUpdate(exec, graph_, &info),
              value == 1 ? CUDA_SUCCESS : CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
    EXPECT_EQ(info.result, value == 1 ? CU_GRAPH_EXEC_UPDATE_SUCCESS
                                      : CU_GRAPH_EXEC_UPDATE_ERROR_PARAMETERS_CHANGED);
  }
  launch(exec);
  EXPECT_EQ(words()[0], 3U);
}

TEST_F(GraphConditionTest, mistakes_are_told) {
  CUgraphConditionalHandle handle = 0;
  EXPECT_EQ(cuGraphConditionalHandleCreate(nullptr, graph_, context_, 0, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphConditionalHandleCreate(&handle, nullptr, context_, 0, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphConditionalHandleCreate(&handle, graph_, context_, 0, 2),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(add(graph_, 12345, CU_GRAPH_COND_TYPE_IF, 1), CUDA_ERROR_INVALID_VALUE);
  handle = condition(0, 0);
  CUgraphExec exec = nullptr;
  CUDA_GRAPH_INSTANTIATE_PARAMS p{};
  EXPECT_EQ(cuGraphInstantiateWithParams(&exec, graph_, &p), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(p.result_out, CUDA_GRAPH_INSTANTIATE_CONDITIONAL_HANDLE_UNUSED);
  EXPECT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_IF, 3), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_WHILE, 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_SWITCH, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_IF, 1), CUDA_SUCCESS);
  CUgraphNodeType type{};
  EXPECT_EQ(cuGraphNodeGetType(node_, &type), CUDA_SUCCESS);
  EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_CONDITIONAL);
  EXPECT_EQ(cuGraphDestroy(bodies_[0]), CUDA_ERROR_INVALID_VALUE);  // the node's
  CUgraphNode conditional = node_, host = nullptr;
  CUgraph body = bodies_[0], clone = nullptr;
  EXPECT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_IF, 1), CUDA_ERROR_INVALID_VALUE);  // in use
  EXPECT_EQ(cuGraphClone(&clone, graph_), CUDA_ERROR_NOT_SUPPORTED);
  Note note{};
  const CUDA_HOST_NODE_PARAMS host_parameters{Note::write, &note};
  ASSERT_EQ(cuGraphAddHostNode(&host, body, nullptr, 0, &host_parameters), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphInstantiateWithParams(&exec, graph_, &p), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(p.result_out, CUDA_GRAPH_INSTANTIATE_NODE_OPERATION_NOT_SUPPORTED);
  EXPECT_EQ(p.hErrNode_out, host);
  ASSERT_EQ(cuGraphDestroyNode(conditional), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroyNode(host), CUDA_ERROR_INVALID_VALUE);              // went with it
  EXPECT_EQ(add(graph_, handle, CU_GRAPH_COND_TYPE_WHILE, 1), CUDA_SUCCESS);  // free again
}

TEST_F(GraphConditionTest, a_kernel_that_sets_what_is_no_handle_faults) {
  CUcontext own = nullptr;
  ASSERT_EQ(cuCtxCreate(&own, nullptr, 0, 0), CUDA_SUCCESS);
  CUmodule module = nullptr;
  CUfunction set = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, kSetters), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&set, module, "set"), CUDA_SUCCESS);
  CUgraphConditionalHandle handle = 1 << 30;
  unsigned value = 0;
  void* arguments[] = {&handle, &value};
  ASSERT_EQ(cuLaunchKernel(set, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
}

}  // namespace
}  // namespace longwire::softcuda::driver
