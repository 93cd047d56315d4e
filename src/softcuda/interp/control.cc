// "Control Flow Instructions", fences and hints. What moves lanes about is the Runner's, which
// looks at StepKind; here stands that there is such an instruction.
#include <atomic>

#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

void nothing(Context&, const Step&) {}

void trap(Context& c, const Step& s) {
  c.warp->fault(machine::FaultKind::kTrap, std::countr_zero(c.mask), 0, s.source->place,
                s.source->op == ir::Op::kBrkpt ? "a breakpoint" : "trap");
}

// Also lets others run: a program that sleeps waits for something.
void sleep(Context& c, const Step&) {
  c.strong_access = true;
  c.warp->yield();
}

// Nothing looks at a cache policy.
void policy(Context& c, const Step& s) {
  each(c, c.at<std::uint64_t>(s.slot(0)), [](int) { return std::uint64_t{0}; });
}

// A read-modify-write orders as a fence does, and sanitizers understand it.
void fence(Context&, const Step&) {
  static std::atomic<std::uint32_t> order{0};
  order.fetch_add(0, std::memory_order_seq_cst);
}

}  // namespace

Handler select_Bra(const ir::Instruction&) { return &nothing; }
Handler select_BrxIdx(const ir::Instruction&) { return &nothing; }
Handler select_Call(const ir::Instruction&) { return &nothing; }
Handler select_Ret(const ir::Instruction&) { return &nothing; }
Handler select_Exit(const ir::Instruction&) { return &nothing; }
Handler select_Trap(const ir::Instruction&) { return &trap; }
Handler select_Brkpt(const ir::Instruction&) { return &trap; }
Handler select_Nanosleep(const ir::Instruction&) { return &sleep; }
Handler select_Pmevent(const ir::Instruction&) { return &nothing; }
Handler select_Bar(const ir::Instruction&) { return &nothing; }
Handler select_Barrier(const ir::Instruction&) { return &nothing; }
Handler select_BarWarp(const ir::Instruction&) { return &nothing; }
Handler select_BarrierCluster(const ir::Instruction&) { return &nothing; }
Handler select_Membar(const ir::Instruction&) { return &fence; }
Handler select_Fence(const ir::Instruction&) { return &fence; }
Handler select_Griddepcontrol(const ir::Instruction&) { return &nothing; }
Handler select_Prefetch(const ir::Instruction&) { return &nothing; }
Handler select_CreatePolicy(const ir::Instruction&) { return &policy; }

}  // namespace longwire::softcuda::interp
