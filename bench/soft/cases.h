// What `./dev bench soft` runs on both devices: kernels with their buffers, and what must come out.
// C++17: the program that runs CUDA is compiled by clang 19 as that.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace longwire::bench::soft {

using Bytes = std::vector<std::byte>;

struct BufferIndex {
  std::size_t index;
};
using Argument = std::variant<BufferIndex, int, unsigned, float>;

struct Launch {
  std::string kernel;  // its name in kernels.cl
  std::array<unsigned, 2> grid, block;
  std::vector<Argument> arguments;
};

struct Case {
  std::vector<Bytes> buffers;  // what they hold before the first run
  std::vector<Launch> launches;
  std::size_t result = 0;  // the buffer that is checked
  // "" when that buffer is right, else what is not.
  std::function<std::string(const Bytes&)> wrong;
};

struct Named {
  const char* name;
  Case (*make)();
};
const std::vector<Named>& cases();

// A device with one case at a time. What fails ends the program: figures of it would mean nothing.
class Device {
 public:
  virtual ~Device() = default;
  virtual void prepare(const Case& what) = 0;
  // From before the first launch until the device has finished, in microseconds.
  virtual double run_us() = 0;
  virtual Bytes read(std::size_t buffer) = 0;
};

double now_us();

// Does what standard input says, a line of answer for each: "prepare CASE" ("ok", or what is wrong
// with the results of its first run), "run" (microseconds), "check" (as prepare), "list" (names).
int serve(Device& device);

}  // namespace longwire::bench::soft
