// A client and a worker in one process: the real client library on the real worker, over a link and
// a driver that the test names. The same test bodies run over all of them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <CL/cl.h>

#include "client/core/node_session.h"
#include "client/opencl/runtime.h"
#include "link/link.h"
#include "opencl/native_api.h"
#include "worker/fake/fake_driver.h"

namespace longwire::inproc {

enum class Transport { kInproc, kUnix, kTcp };
enum class Driver { kFake, kSystem };

struct Setup {
  Transport transport;
  Driver driver;
  unsigned lanes;          // 0: bulk data goes as frames
  bool cuts = false;       // links can be cut
  bool introduces = true;  // the node says unasked what it has; older ones do not
  friend void PrintTo(const Setup& setup, std::ostream* out);
};
std::string name_of(const Setup& setup);

// Both ends of a fresh connection.
std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> connect(Transport transport);

// The workers of one node, each on a thread. Makes sessions for its connectors.
class Node {
 public:
  Node(const Setup& setup, const longwire::opencl::NativeApi& api);
  ~Node();
  std::unique_ptr<client::core::Connector> connector();
  // The worker's side of every session goes, as if the machine had.
  void die();
  // All links, those to come and those that are there, break after so many bytes each, as `bytes`
  // says (never without it). Calls come one at a time.
  void cut_links(std::function<std::size_t()> bytes);
  std::size_t links() const;  // that were opened so far

  struct State;

 private:
  std::shared_ptr<State> state_;  // shared with the connectors, which the client owns
};

// A runtime with one node (or several), which the driver's functions use while it exists.
class Rig {
 public:
  explicit Rig(const Setup& setup, std::size_t nodes = 1);
  ~Rig();

  // No system driver, or none with a device.
  static bool available(Driver driver);
  Node& node(std::size_t i = 0) { return *nodes_[i]; }
  client::opencl::Runtime& runtime() { return *runtime_; }
  // After the rig has ended: what the fake driver was left with.
  std::size_t end();

 private:
  std::unique_ptr<worker::fake::FakeDriver> fake_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<client::opencl::Runtime> runtime_;
};

}  // namespace longwire::inproc
