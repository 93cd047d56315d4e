#include "softcuda/driver/graph_dot.h"

#include <cstdio>
#include <unordered_map>

namespace longwire::softcuda::driver {
namespace {

bool asked(unsigned int flags, unsigned int flag) {
  return (flags & (flag | CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE)) != 0;
}

const char* name_of(CUgraphNodeType type) {
  static constexpr const char* kNames[] = {
      "kernel", "memcpy", "memset",      "host",     "child graph", "empty",  "wait",
      "record", "signal", "wait signal", "allocate", "free",        "values", "conditional"};
  return kNames[type];
}

std::string size_of(const machine::Dim3& size) {
  return std::to_string(size.x) + "x" + std::to_string(size.y) + "x" + std::to_string(size.z);
}

std::string hexadecimal(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

// A line break inside a label.
constexpr const char* kBreak = "\\n";

std::string details(const Operation& operation, unsigned int flags) {
  std::string text;
  if (const auto* kernel = std::get_if<KernelOperation>(&operation); kernel != nullptr) {
    text += kBreak + kernel->function->code().name;
    if (asked(flags, CU_GRAPH_DEBUG_DOT_FLAGS_KERNEL_NODE_PARAMS))
      text += kBreak + size_of(kernel->grid) + " blocks of " + size_of(kernel->block);
  }
  const auto* copy = std::get_if<CopyOperation>(&operation);
  if (copy != nullptr && asked(flags, CU_GRAPH_DEBUG_DOT_FLAGS_MEMCPY_NODE_PARAMS))
    text += kBreak + std::to_string(copy->width) + "x" + std::to_string(copy->height) + "x" +
            std::to_string(copy->depth) + " bytes";
  const auto* memset = std::get_if<MemsetOperation>(&operation);
  if (memset != nullptr && asked(flags, CU_GRAPH_DEBUG_DOT_FLAGS_MEMSET_NODE_PARAMS))
    text += kBreak + hexadecimal(memset->parameters.dst) + " = " +
            std::to_string(memset->parameters.value);
  const auto* free = std::get_if<FreeOperation>(&operation);
  if (free != nullptr && asked(flags, CU_GRAPH_DEBUG_DOT_FLAGS_MEM_FREE_NODE_PARAMS))
    text += kBreak + hexadecimal(free->address);
  return text;
}

// `number` is the next graph's, so that the names of all nodes differ.
void write_graph(const Graph& graph, unsigned int flags, int& number, std::string& out) {
  const std::string prefix = "graph_" + std::to_string(number++);
  out += "subgraph cluster_" + prefix + " {\nlabel=\"" + prefix + "\"\n";
  std::unordered_map<const GraphNode*, std::string> names;
  for (const auto& node : graph.nodes) {
    const std::string& name = names[node.get()] = prefix + "_node_" + std::to_string(names.size());
    out += '"' + name + "\" [shape=box label=\"" + std::to_string(names.size() - 1) + ": " +
           name_of(type_of(*node->operation)) + details(*node->operation, flags);
    if (asked(flags, CU_GRAPH_DEBUG_DOT_FLAGS_HANDLES))
      out += kBreak + hexadecimal(reinterpret_cast<std::uintptr_t>(node->handle));
    out += "\"]\n";
  }
  for (const auto& node : graph.nodes)
    for (const GraphNode* before : node->dependencies)
      out += '"' + names[before] + "\" -> \"" + names[node.get()] + "\"\n";
  out += "}\n";
  for (const auto& node : graph.nodes)
    for (const auto& child : children_of(*node))
      write_graph(*child, flags, number, out);
}

}  // namespace

std::string dot_of(const Graph& graph, unsigned int flags) {
  std::string out = "digraph dot {\n";
  int number = 0;
  write_graph(graph, flags, number, out);
  return out + "}\n";
}

bool write_dot(const char* path, const std::string& text) {
  std::FILE* file = std::fopen(path, "we");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

}  // namespace longwire::softcuda::driver
