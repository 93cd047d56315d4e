// cp.async, which copies at once, and mbarrier.
#include <cstring>

#include "softcuda/interp/access.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using machine::Access;
using std::uint32_t, std::uint64_t;

void nothing(Context&, const Step&) {}

// [dst] [src] size, and how much of it comes from there; the rest is zeros.
void cp_async(Context& c, const Step& s) {
  const uint32_t size = c.at<uint32_t>(s.slot(2))[0];
  const bool ignores = s.has(3) && s.slot(3).bytes == 0;
  const Mask ignored = ignores ? c.predicate(s.slot(3)) : 0;
  const uint32_t* sizes = s.has(3) && !ignores ? c.at<uint32_t>(s.slot(3)) : nullptr;
  each_active(c, [&](int i) {
    std::byte value[16] = {};
    uint32_t wanted = sizes != nullptr && sizes[i] < size ? sizes[i] : size;
    if ((ignored >> i & 1) != 0) wanted = 0;
    if (wanted != 0)
      std::memcpy(value, place_of(c, s, s.slot(1), i, ir::Space::kGlobal, size, Access::kRead),
                  wanted);
    std::memcpy(place_of(c, s, s.slot(0), i, ir::Space::kShared, size, Access::kWrite), value,
                size);
  });
}

// --- mbarrier: 64 bits of shared memory. Arrivals pending and expected, bytes that are expected
// and have not come (modulo 2^21, as they may come first), and which phase it is. ---

constexpr uint64_t kCountMask = (1 << 20) - 1;
constexpr uint64_t kBytesMask = (1 << 21) - 1;
constexpr int kExpectedShift = 20, kBytesShift = 40, kPhaseShift = 63;

uint64_t* barrier_at(const Context& c, const Step& s, int operand, int lane) {
  return reinterpret_cast<uint64_t*>(
      place_of(c, s, s.slot(operand), lane, s.source->modifiers.space, 8, Access::kAtomic));
}

void init(Context& c, const Step& s) {
  each_active(c, [&](int i) {
    const uint64_t count = c.at<uint32_t>(s.slot(1))[i] & kCountMask;
    __atomic_store_n(barrier_at(c, s, 0, i), count | count << kExpectedShift, __ATOMIC_SEQ_CST);
  });
}

// The next phase, where nothing more is expected in this one.
uint64_t completed(uint64_t state) {
  const bool over = (state & kCountMask) == 0 && (state >> kBytesShift & kBytesMask) == 0;
  if (!over) return state;
  return (state | (state >> kExpectedShift & kCountMask)) ^ uint64_t { 1 } << kPhaseShift;
}

uint64_t arrived(uint64_t old, uint64_t count) {
  const uint64_t before = old & kCountMask;
  return completed((old & ~kCountMask) | (before > count ? before - count : 0));
}

// So many bytes more that are to come, modulo 2^21.
uint64_t expecting(uint64_t state, uint64_t bytes) {
  const uint64_t sum = ((state >> kBytesShift) + bytes) & kBytesMask;
  return (state & ~(kBytesMask << kBytesShift)) | sum << kBytesShift;
}

void change_bytes(uint64_t* place, uint64_t bytes) {
  uint64_t old = __atomic_load_n(place, __ATOMIC_SEQ_CST);
  while (!__atomic_compare_exchange_n(place, &old, completed(expecting(old, bytes)), true,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
}

// The state before.
uint64_t arrive_at(uint64_t* place, uint64_t count, uint64_t dropped, uint64_t bytes = 0) {
  const auto less = [&](uint64_t state) {  // expected, of the phases to come
    const uint64_t expected = ((state >> kExpectedShift) - dropped) & kCountMask;
    return (state & ~(kCountMask << kExpectedShift)) | expected << kExpectedShift;
  };
  uint64_t old = __atomic_load_n(place, __ATOMIC_SEQ_CST);
  while (!__atomic_compare_exchange_n(place, &old, arrived(less(expecting(old, bytes)), count),
                                      true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  return old;
}

template <bool kDrop>
void arrive(Context& c, const Step& s) {
  c.strong_access = true;
  each_active(c, [&](int i) {
    const bool of_bytes = s.source->modifiers.wrap;
    const uint64_t given = s.has(2) ? c.at<uint32_t>(s.slot(2))[i] : 1;
    const uint64_t count = of_bytes ? 1 : given & kCountMask;
    c.at<uint64_t>(s.slot(0))[i] =
        arrive_at(barrier_at(c, s, 1, i), count, kDrop ? count : 0, of_bytes ? given : 0);
  });
}

template <bool kCame>
void transaction(Context& c, const Step& s) {
  c.strong_access = true;
  each_active(c, [&](int i) {
    const uint64_t bytes = c.at<uint32_t>(s.slot(1))[i];
    change_bytes(barrier_at(c, s, 0, i), kCame ? uint64_t{0} - bytes : bytes);
  });
}

// cp.async.mbarrier.arrive: the copies before it are done. Without .noinc it raises the count by
// the arrival that it makes.
void arrive_for_copies(Context& c, const Step& s) {
  c.strong_access = true;
  each_active(c, [&](int i) {
    uint64_t* place = barrier_at(c, s, 0, i);
    if (s.source->modifiers.wrap) arrive_at(place, 1, 0);
  });
}

void pending_count(Context& c, const Step& s) {
  const auto* state = c.at<uint64_t>(s.slot(1));
  each(c, c.at<uint32_t>(s.slot(0)),
       [=](int i) { return static_cast<uint32_t>(state[i] & kCountMask); });
}

// Whether the phase that a state is of, or that has a parity, is over.
void test_wait(Context& c, const Step& s) {
  c.strong_access = true;
  const bool parity = s.source->modifiers.wrap;
  Mask done = 0;
  each_active(c, [&](int i) {
    const uint64_t now = __atomic_load_n(barrier_at(c, s, 1, i), __ATOMIC_SEQ_CST) >> kPhaseShift;
    const uint64_t phase =
        parity ? c.at<uint32_t>(s.slot(2))[i] & 1 : c.at<uint64_t>(s.slot(2))[i] >> kPhaseShift;
    done |= static_cast<Mask>(now != phase ? 1 : 0) << i;
  });
  c.set_predicate(s.slot(0), done);
}

}  // namespace

Handler select_CpAsync(const ir::Instruction&) { return &cp_async; }
Handler select_CpAsyncCommit(const ir::Instruction&) { return &nothing; }
Handler select_CpAsyncWait(const ir::Instruction&) { return &nothing; }
Handler select_CpAsyncWaitAll(const ir::Instruction&) { return &nothing; }
Handler select_MbarrierInit(const ir::Instruction&) { return &init; }
Handler select_MbarrierInval(const ir::Instruction&) { return &nothing; }
Handler select_MbarrierArrive(const ir::Instruction&) { return &arrive<false>; }
Handler select_MbarrierArriveDrop(const ir::Instruction&) { return &arrive<true>; }
Handler select_MbarrierExpectTx(const ir::Instruction&) { return &transaction<false>; }
Handler select_MbarrierCompleteTx(const ir::Instruction&) { return &transaction<true>; }
Handler select_MbarrierPendingCount(const ir::Instruction&) { return &pending_count; }
Handler select_CpAsyncArrive(const ir::Instruction&) { return &arrive_for_copies; }
Handler select_MbarrierTestWait(const ir::Instruction&) { return &test_wait; }
Handler select_MbarrierTryWait(const ir::Instruction&) { return &test_wait; }

}  // namespace longwire::softcuda::interp
