// Residency: which nodes of a context hold the latest bytes of a memory object.
// docs/ARCHITECTURE.md, decision 9. Nothing of it costs anything where a context has one node.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "client/opencl/event.h"
#include "client/opencl/object.h"
#include "client/opencl/queue.h"

namespace longwire::client::opencl {

class Node;

class Residency {
 public:
  // New objects are made on all nodes, with the same contents: all are current until a write.
  bool holds(const Node& node) const noexcept;
  // The queue whose command wrote last; null where nobody has since the object was made.
  Ref<Queue> last_writer() const noexcept;
  // `copied`, a command on `node`, brings a copy there.
  void note_copy(const Node& node, Ref<Event> copied);
  // The copy on its way to `node`; null where there is none (any more).
  Ref<Event> copy_under_way(const Node& node) const noexcept;
  // A command on `queue` will write: the other nodes' bytes are old from here on.
  void note_write(Queue& queue) noexcept;

 private:
  static std::uint64_t bit(const Node& node) noexcept;

  mutable std::mutex mutex_;
  std::uint64_t current_ = ~std::uint64_t{0};  // one bit per node of the platform
  Ref<Queue> last_writer_;
  std::vector<Ref<Event>> copies_;  // since the last write
};

}  // namespace longwire::client::opencl
