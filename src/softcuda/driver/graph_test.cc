// Graphs made of nodes: structure, parameters, copies.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "softcuda/driver/graph_testing.h"

namespace longwire::softcuda::driver {
namespace {

TEST_F(GraphTest, nodes_and_edges_are_as_they_were_made) {
  CUgraphNode a = add_empty(graph_), b = add_fill(1, {a}), c = add_empty(graph_, {a, b});
  CUgraphNode nodes[5] = {};
  std::size_t count = 5;
  ASSERT_EQ(cuGraphGetNodes(graph_, nodes, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(nodes[1], b);
  EXPECT_EQ(nodes[3], nullptr);  // the rest is cleared
  count = 1;
  ASSERT_EQ(cuGraphGetRootNodes(graph_, nodes, &count), CUDA_SUCCESS);
  EXPECT_EQ(nodes[0], a);
  CUgraphNode from[3] = {}, to[3] = {};
  CUgraphEdgeData edges[3] = {};
  count = 3;
  ASSERT_EQ(cuGraphGetEdges(graph_, from, to, edges, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(from[2], b);
  EXPECT_EQ(to[2], c);
  count = 0;
  ASSERT_EQ(cuGraphNodeGetDependentNodes(a, nullptr, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 2U);
  count = 2;
  ASSERT_EQ(cuGraphNodeGetDependencies(c, nodes, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(nodes[1], b);
  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_HOST;
  ASSERT_EQ(cuGraphNodeGetType(b, &type), CUDA_SUCCESS);
  EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_KERNEL);
}

TEST_F(GraphTest, dependencies_come_and_go) {
  CUgraphNode a = add_empty(graph_), b = add_empty(graph_), c = add_empty(graph_);
  const CUgraphNode from[] = {a, b}, to[] = {b, c};
  ASSERT_EQ(cuGraphAddDependencies(graph_, from, to, nullptr, 2), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphAddDependencies(graph_, from, to, nullptr, 1),
            CUDA_ERROR_INVALID_VALUE);  // there already
  EXPECT_EQ(cuGraphAddDependencies(graph_, &a, &a, nullptr, 1), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphRemoveDependencies(graph_, from, to, nullptr, 1), CUDA_SUCCESS);
  // All pairs or none: the second is there no more.
  const CUgraphNode first[] = {b, a}, second[] = {c, b};
  EXPECT_EQ(cuGraphRemoveDependencies(graph_, first, second, nullptr, 2), CUDA_ERROR_INVALID_VALUE);
  std::size_t count = 0;
  ASSERT_EQ(cuGraphGetEdges(graph_, nullptr, nullptr, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1U);
  CUgraphEdgeData programmatic{};
  programmatic.type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
  EXPECT_EQ(cuGraphAddDependencies(graph_, &a, &c, &programmatic, 1), CUDA_ERROR_NOT_SUPPORTED);
  programmatic.reserved[2] = 1;
  EXPECT_EQ(cuGraphAddDependencies(graph_, &a, &c, &programmatic, 1), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphDestroyNode(b), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroyNode(b), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(node_count(graph_), 2U);
}

TEST_F(GraphTest, parameters_are_copied_when_the_node_is_added) {
  unsigned value = 5;
  void* arguments[] = {&memory_, &value};
  CUDA_KERNEL_NODE_PARAMS p = fill_node(arguments), got{};
  CUgraphNode node = nullptr;
  ASSERT_EQ(cuGraphAddKernelNode(&node, graph_, nullptr, 0, &p), CUDA_SUCCESS);
  value = 6;
  ASSERT_EQ(cuGraphKernelNodeGetParams(node, &got), CUDA_SUCCESS);
  EXPECT_EQ(got.func, fill_);
  EXPECT_EQ(got.blockDimX, kWords);
  EXPECT_EQ(*static_cast<unsigned*>(got.kernelParams[1]), 5U);
  ASSERT_EQ(cuGraphKernelNodeSetParams(node, &got), CUDA_SUCCESS);  // its own, back again
  launch(instantiate(graph_));
  EXPECT_EQ(words(), std::vector<unsigned>(kWords, 5));
  ASSERT_EQ(cuGraphKernelNodeSetParams(node, &p), CUDA_SUCCESS);
  launch(instantiate(graph_));
  EXPECT_EQ(words(), std::vector<unsigned>(kWords, 6));
  p.gridDimX = 0;
  EXPECT_EQ(cuGraphKernelNodeSetParams(node, &p), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphHostNodeSetParams(node, nullptr), CUDA_ERROR_INVALID_VALUE);
  const CUDA_HOST_NODE_PARAMS host{Note::write, nullptr};
  EXPECT_EQ(cuGraphHostNodeSetParams(node, &host), CUDA_ERROR_INVALID_VALUE);  // another type
}

TEST_F(GraphTest, copies_memsets_and_values) {
  CUDA_MEMSET_NODE_PARAMS memset{memory_, 0, 7, 4, kWords, 1}, memset_back{};
  CUgraphNode first = nullptr, second = nullptr, third = nullptr;
  ASSERT_EQ(cuGraphAddMemsetNode(&first, graph_, nullptr, 0, &memset, context_), CUDA_SUCCESS);
  std::vector<unsigned> out(kWords);
  CUDA_MEMCPY3D copy{}, copy_back{};
  copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = memory_;
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = out.data();
  copy.WidthInBytes = kWords * 4;
  copy.Height = copy.Depth = 1;
  CUstreamBatchMemOpParams value{};
  value.writeValue.operation = CU_STREAM_MEM_OP_WRITE_VALUE_32;
  value.writeValue.address = memory_ + 4;
  value.writeValue.value = 9;
  CUDA_BATCH_MEM_OP_NODE_PARAMS batch{context_, 1, &value, 0}, batch_back{};
  ASSERT_EQ(cuGraphAddBatchMemOpNode(&second, graph_, &first, 1, &batch), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddMemcpyNode(&third, graph_, &second, 1, &copy, context_), CUDA_SUCCESS);
  launch(instantiate(graph_));
  EXPECT_EQ(out, (std::vector<unsigned>{7, 9, 7, 7, 7, 7, 7, 7}));
  ASSERT_EQ(cuGraphMemsetNodeGetParams(first, &memset_back), CUDA_SUCCESS);
  EXPECT_EQ(memset_back.value, 7U);
  ASSERT_EQ(cuGraphMemcpyNodeGetParams(third, &copy_back), CUDA_SUCCESS);
  EXPECT_EQ(copy_back.dstHost, out.data());
  ASSERT_EQ(cuGraphBatchMemOpNodeGetParams(second, &batch_back), CUDA_SUCCESS);
  EXPECT_EQ(batch_back.paramArray[0].writeValue.value, 9U);
  copy.srcDevice = 16;
  EXPECT_EQ(cuGraphMemcpyNodeSetParams(third, &copy), CUDA_ERROR_INVALID_VALUE);
  memset.elementSize = 3;
  EXPECT_EQ(cuGraphMemsetNodeSetParams(first, &memset), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, a_node_of_any_type_is_made_of_one_struct) {
  unsigned value = 3;
  void* arguments[] = {&memory_, &value};
  CUgraphNodeParams p{};
  p.type = CU_GRAPH_NODE_TYPE_KERNEL;
  p.kernel.func = fill_;
  p.kernel.gridDimX = p.kernel.gridDimY = p.kernel.gridDimZ = 1;
  p.kernel.blockDimX = kWords;
  p.kernel.blockDimY = p.kernel.blockDimZ = 1;
  p.kernel.kernelParams = arguments;
  CUgraphNode node = nullptr;
  ASSERT_EQ(cuGraphAddNode(&node, graph_, nullptr, nullptr, 0, &p), CUDA_SUCCESS);
  value = 4;
  ASSERT_EQ(cuGraphNodeSetParams(node, &p), CUDA_SUCCESS);
  launch(instantiate(graph_));
  EXPECT_EQ(words()[0], 4U);
  p.type = CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT;
  EXPECT_EQ(cuGraphAddNode(&node, graph_, nullptr, nullptr, 0, &p), CUDA_ERROR_NOT_SUPPORTED);
  p.type = static_cast<CUgraphNodeType>(77);
  EXPECT_EQ(cuGraphAddNode(&node, graph_, nullptr, nullptr, 0, &p), CUDA_ERROR_INVALID_VALUE);
  p.type = CU_GRAPH_NODE_TYPE_EMPTY;
  p.reserved2 = 1;
  EXPECT_EQ(cuGraphAddNode(&node, graph_, nullptr, nullptr, 0, &p), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, a_clone_is_independent) {
  CUgraphNode first = add_fill(1), second = add_empty(graph_, {first});
  CUgraph clone = nullptr;
  ASSERT_EQ(cuGraphClone(&clone, graph_), CUDA_SUCCESS);
  CUgraphNode found = nullptr;
  ASSERT_EQ(cuGraphNodeFindInClone(&found, second, clone), CUDA_SUCCESS);
  EXPECT_NE(found, second);
  EXPECT_EQ(cuGraphNodeFindInClone(&found, second, graph_), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphDestroyNode(first), CUDA_SUCCESS);
  EXPECT_EQ(node_count(clone), 2U);
  CUgraphNode empty = nullptr;  // after a node of another graph
  EXPECT_EQ(cuGraphAddEmptyNode(&empty, clone, &second, 1), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphDestroy(clone), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(clone), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, a_child_graph_is_its_nodes) {
  CUgraph inner = nullptr;
  ASSERT_EQ(cuGraphCreate(&inner, 0), CUDA_SUCCESS);
  std::swap(inner, graph_);
  add_fill(8);
  std::swap(inner, graph_);
  CUgraphNode node = nullptr;
  ASSERT_EQ(cuGraphAddChildGraphNode(&node, graph_, nullptr, 0, inner), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphDestroy(inner), CUDA_SUCCESS);  // that was copied
  CUgraph child = nullptr;
  ASSERT_EQ(cuGraphChildGraphNodeGetGraph(node, &child), CUDA_SUCCESS);
  EXPECT_EQ(node_count(child), 1U);
  EXPECT_EQ(cuGraphDestroy(child), CUDA_ERROR_INVALID_VALUE);
  launch(instantiate(graph_));
  EXPECT_EQ(words()[3], 8U);
  // Moved into another: never into itself, nor twice.
  CUgraphNodeParams p{};
  p.type = CU_GRAPH_NODE_TYPE_GRAPH;
  p.graph.ownership = CU_GRAPH_CHILD_GRAPH_OWNERSHIP_MOVE;
  p.graph.graph = graph_;
  EXPECT_EQ(cuGraphAddNode(&node, child, nullptr, nullptr, 0, &p), CUDA_ERROR_INVALID_VALUE);
  p.graph.graph = child;
  EXPECT_EQ(cuGraphAddNode(&node, graph_, nullptr, nullptr, 0, &p), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, child_graphs_are_not_endless) {
  // Each level holds the one before it twice: 2^depth nodes, were there no limit.
  CUresult status = CUDA_SUCCESS;
  CUgraphNode node = nullptr;
  for (int level = 0; level < 80 && status == CUDA_SUCCESS; ++level) {
    status = cuGraphAddChildGraphNode(&node, graph_, nullptr, 0, graph_);
  }
  EXPECT_EQ(status, CUDA_ERROR_OUT_OF_MEMORY);
  CUgraph deep = nullptr;
  ASSERT_EQ(cuGraphCreate(&deep, 0), CUDA_SUCCESS);
  status = CUDA_SUCCESS;
  for (int level = 0; level < 80 && status == CUDA_SUCCESS; ++level) {
    CUgraph outer = nullptr;
    ASSERT_EQ(cuGraphCreate(&outer, 0), CUDA_SUCCESS);
    CUgraphNodeParams p{};
    p.type = CU_GRAPH_NODE_TYPE_GRAPH;
    p.graph.graph = deep;
    p.graph.ownership = CU_GRAPH_CHILD_GRAPH_OWNERSHIP_MOVE;
    status = cuGraphAddNode(&node, outer, nullptr, nullptr, 0, &p);
    if (status == CUDA_SUCCESS)
      deep = outer;
    else
      EXPECT_EQ(cuGraphDestroy(outer), CUDA_SUCCESS);
  }
  EXPECT_EQ(status, CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphDestroy(deep), CUDA_SUCCESS);
}

TEST_F(GraphTest, what_is_no_graph_is_told) {
  auto* graph = reinterpret_cast<CUgraph>(0x1234);
  auto* node = reinterpret_cast<CUgraphNode>(stream_);  // a handle, but of a stream
  auto* exec = reinterpret_cast<CUgraphExec>(graph_);
  CUgraphNode out = nullptr;
  std::size_t count = 0;
  CUgraphNodeType type{};
  EXPECT_EQ(cuGraphAddEmptyNode(&out, graph, nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(&out, nullptr, nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(nullptr, graph_, nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(&out, graph_, nullptr, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(&out, graph_, &node, ~std::size_t{0}), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphGetNodes(graph, nullptr, &count), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphGetNodes(graph_, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphNodeGetType(node, &type), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphDestroyNode(node), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphLaunch(exec, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_ERROR_INVALID_VALUE);
  CUgraphNode first = add_empty(graph_);
  const CUgraphNode twice[] = {first, first};
  add_empty(graph_);
  EXPECT_EQ(cuGraphAddEmptyNode(&out, graph_, twice, 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEventRecordNode(&out, graph_, nullptr, 0, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, attributes_of_kernels_are_kept_and_copied) {
  CUgraphNode a = add_fill(1), b = add_fill(2), empty = add_empty(graph_);
  CUkernelNodeAttrValue value{}, got{};
  value.cooperative = 1;
  ASSERT_EQ(cuGraphKernelNodeSetAttribute(a, CU_KERNEL_NODE_ATTRIBUTE_COOPERATIVE, &value),
            CUDA_SUCCESS);
  value.priority = -2;
  ASSERT_EQ(cuGraphKernelNodeSetAttribute(a, CU_KERNEL_NODE_ATTRIBUTE_PRIORITY, &value),
            CUDA_SUCCESS);
  ASSERT_EQ(cuGraphKernelNodeCopyAttributes(b, a), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphKernelNodeGetAttribute(b, CU_KERNEL_NODE_ATTRIBUTE_COOPERATIVE, &got),
            CUDA_SUCCESS);
  EXPECT_EQ(got.cooperative, 1);
  ASSERT_EQ(cuGraphKernelNodeGetAttribute(b, CU_KERNEL_NODE_ATTRIBUTE_PRIORITY, &got),
            CUDA_SUCCESS);
  EXPECT_EQ(got.priority, -2);
  EXPECT_EQ(cuGraphKernelNodeGetAttribute(empty, CU_KERNEL_NODE_ATTRIBUTE_PRIORITY, &got),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, user_objects_live_as_long_as_who_holds_them) {
  int destroyed = 0;
  CUuserObject object = nullptr;
  auto destroy = [](void* count) { ++*static_cast<int*>(count); };
  EXPECT_EQ(cuUserObjectCreate(&object, &destroyed, destroy, 1, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuUserObjectCreate(&object, &destroyed, destroy, 2, CU_USER_OBJECT_NO_DESTRUCTOR_SYNC),
            CUDA_SUCCESS);
  ASSERT_EQ(cuGraphRetainUserObject(graph_, object, 1, CU_GRAPH_USER_OBJECT_MOVE), CUDA_SUCCESS);
  ASSERT_EQ(cuUserObjectRelease(object, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuUserObjectRelease(object, 5), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphReleaseUserObject(graph_, object, 2), CUDA_ERROR_INVALID_VALUE);
  CUgraphExec exec = instantiate(graph_);
  CUgraph clone = nullptr;
  ASSERT_EQ(cuGraphClone(&clone, graph_), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphReleaseUserObject(graph_, object, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphDestroy(clone), CUDA_SUCCESS);
  EXPECT_EQ(destroyed, 0);
  ASSERT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(cuUserObjectRetain(object, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, it_is_drawn) {
  CUgraphNode first = add_fill(1);
  add_empty(graph_, {first});
  const std::string path = ::testing::TempDir() + "softcuda_graph_test.dot";
  ASSERT_EQ(cuGraphDebugDotPrint(graph_, path.c_str(), CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE),
            CUDA_SUCCESS);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  EXPECT_NE(text.str().find("kernel\\nfill\\n1x1x1 blocks of 8x1x1"), std::string::npos);
  EXPECT_NE(text.str().find("\"graph_0_node_0\" -> \"graph_0_node_1\""), std::string::npos);
  EXPECT_EQ(cuGraphDebugDotPrint(graph_, "/nonexistent/graph.dot", 0), CUDA_ERROR_OPERATING_SYSTEM);
  EXPECT_EQ(cuGraphDebugDotPrint(graph_, nullptr, 0), CUDA_ERROR_INVALID_VALUE);
}

}  // namespace
}  // namespace longwire::softcuda::driver
