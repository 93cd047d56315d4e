// Runner: executes a kernel's programs on one warp, on the warp's fiber. Owns no memory: all that
// it needs lies on the stack or in the warp's frames, as a fault leaves it where it stands.
//
// Lanes that have diverged run in groups. The group that runs is the one at the lowest step of the
// innermost call, so that lanes which went a longer way join those that wait for them further down.
// A group that loops while it looks at memory that others write rests after some rounds, so that
// every lane gets on. Lanes that wait for others of their warp, at a barrier or an instruction with
// a mask of lanes, are parked until the others come, or cannot.
#pragma once

#include <cstdint>

#include "softcuda/interp/decode.h"
#include "softcuda/interp/program.h"

namespace longwire::softcuda::interp {

constexpr std::size_t frame_aligned(std::size_t bytes) noexcept {
  constexpr std::size_t kFrameAlignment = 64;
  return (bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

class Runner {
 public:
  // `native`: of the compiled code, where there is some; it is to outlive this.
  Runner(const KernelPrograms& programs, machine::Warp& warp, NativeState* native = nullptr);
  void run();

  // --- for compiled code ---
  // Makes the Runner of a warp whose lanes are all in the kernel's code.
  static void start(NativeState& state) noexcept;
  // Where a kernel's registers lie.
  static std::byte* kernel_frame(const NativeState& state) noexcept;
  // All lanes left the code, which start() was called from, at this step.
  void go_on(std::uint32_t step);
  // The warp comes to a barrier, all lanes that live together: false where they are not together.
  bool native_barrier(const Step& s);

 private:
  // A call that has not ended for all lanes that made it.
  struct Activation {
    const Program* program;
    Activation* below;   // the one before, in the order of their beginning
    Activation* caller;  // nullptr: the kernel
    const Step* call;
    std::byte* frame;
    std::uint32_t local_base;
    Mask members;  // lanes that have not returned from it
    Mask lanes;    // those of them that are in no call further down
    std::uint32_t steps[kLanes];
    std::uint32_t* taken;  // Context::taken when it began; nullptr: nothing was
  };

  Activation* push(const Program& program, Mask lanes, const ir::Place& place, bool zeroed = true);
  void pop_finished() noexcept;
  void use(Activation& activation) noexcept;

  bool pick();
  bool pick_runnable() noexcept;
  bool pick_parked() noexcept;
  void choose(Activation& activation, Mask candidates) noexcept;

  void execute();
  bool enter_native(const Step& s);
  bool part() noexcept;
  bool step_control(const Step& s);  // false: another group may be the one to run
  Mask guard_of(const Step& s) const noexcept;
  void leave(std::uint32_t step) noexcept;  // the group goes on there when it is picked again
  bool next_block(std::uint32_t step) noexcept;
  bool branch(const Step& s);
  bool branch_indexed(const Step& s);
  bool jump_back(std::uint32_t target);
  void split(Mask taken, std::uint32_t target, std::uint32_t otherwise) noexcept;
  bool call(const Step& s);
  void call_function(const Step& s, const Program& callee, Mask lanes);
  void call_external(const Step& s, const ir::Function& function, Mask lanes);
  std::byte* local_frame(const Activation& activation, int lane) const noexcept {
    return warp_.local(lane) + activation.local_base;
  }
  void copy_arguments(const Step& s, Activation& to, Mask lanes);
  void copy_results(const Activation& from, Mask lanes);
  bool finish_lanes(const Step& s, bool exits);
  bool barrier(const Step& s);
  void barrier_of_parked(const Step& s);
  // Lanes of one activation at a barrier of the block.
  struct Waiting {
    Activation* activation;
    const Step* step;
    Mask lanes;
  };
  int find_waiting(const Step& s, Waiting* waiting);
  void join_barrier(const Waiting* waiting, int count);
  bool warp_sync(const Step& s);

  const KernelPrograms& programs_;
  machine::Warp& warp_;
  Context context_;
  NativeState* native_;
  Activation* top_ = nullptr;
  Activation* now_ = nullptr;  // whose steps run
  Mask group_ = 0;             // the lanes that run
  std::uint32_t step_ = 0;     // where they are
  std::uint32_t join_ = 0;     // where the next group waits: at this step another may join
  bool alone_ = true;          // no other lane of the warp could run
  bool forced_ = false;        // parked lanes go on as nobody else can
  Mask resting_ = 0, parked_ = 0;
  std::uint32_t rounds_ = 0;  // backward branches of the group since it was picked
  std::size_t frames_used_ = 0;
  std::byte scratch_[kScratchBytes];
};

}  // namespace longwire::softcuda::interp
