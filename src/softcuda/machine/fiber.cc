#include "softcuda/machine/fiber.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LW_FIBER_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define LW_FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LW_FIBER_ASAN 1
#elif __has_feature(thread_sanitizer)
#define LW_FIBER_TSAN 1
#endif
#endif

#if defined(LW_FIBER_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(LW_FIBER_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__x86_64__)
// (where to keep this stack pointer, the one to go on with). What a call preserves is kept: six
// registers and the modes of the floating-point units.
extern "C" void longwire_softcuda_switch(void** keep, void* to) noexcept;
asm(R"(
.pushsection .text.longwire_softcuda_switch,"ax",@progbits
.globl longwire_softcuda_switch
.hidden longwire_softcuda_switch
.type longwire_softcuda_switch,@function
longwire_softcuda_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size longwire_softcuda_switch,.-longwire_softcuda_switch
.popsection
)");
#else
#include <ucontext.h>
#endif

namespace longwire::softcuda::machine {
namespace {

constexpr std::size_t kGuardBytes = 4096;

thread_local Fiber* entering = nullptr;  // for enter(), which has no argument

}  // namespace

Fiber::Fiber(std::size_t bytes) noexcept : stack_bytes_(bytes) {
  void* place = ::mmap(nullptr, kGuardBytes + bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (place == MAP_FAILED) return;
  if (::mprotect(place, kGuardBytes, PROT_NONE) != 0) {
    ::munmap(place, kGuardBytes + bytes);
    return;
  }
  memory_ = static_cast<std::byte*>(place);
#if !defined(__x86_64__)
  own_ = new (std::nothrow) ucontext_t;
  caller_ = new (std::nothrow) ucontext_t;
#endif
}

Fiber::~Fiber() {
  forget_sanitizer_state();
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(own_);
  delete static_cast<ucontext_t*>(caller_);
#endif
  if (memory_ != nullptr) ::munmap(memory_, kGuardBytes + stack_bytes_);
}

void Fiber::forget_sanitizer_state() noexcept {
#if defined(LW_FIBER_ASAN)
  if (memory_ != nullptr) __asan_unpoison_memory_region(memory_ + kGuardBytes, stack_bytes_);
#elif defined(LW_FIBER_TSAN)
  if (tsan_own_ != nullptr) __tsan_destroy_fiber(tsan_own_);
  tsan_own_ = nullptr;
#endif
}

void Fiber::start(Body body, void* argument) noexcept {
  forget_sanitizer_state();
  body_ = body;
  argument_ = argument;
  ended_ = false;
  own_fake_stack_ = nullptr;
#if defined(LW_FIBER_TSAN)
  tsan_own_ = __tsan_create_fiber(0);
#endif
  prepare_stack();
}

void Fiber::prepare_stack() noexcept {
#if defined(__x86_64__)
  // As longwire_softcuda_switch leaves a stack: modes, six registers, where to go on; then a return
  // address for enter(), which never returns. On entry a stack is 8 bytes off a multiple of 16.
  auto* top = reinterpret_cast<std::uint64_t*>(memory_ + kGuardBytes + stack_bytes_);
  constexpr int kWords = 9;
  std::uint64_t* words = top - kWords;
  std::uint32_t mxcsr = 0;
  std::uint16_t control = 0;
  asm("stmxcsr %0" : "=m"(mxcsr));
  asm("fnstcw %0" : "=m"(control));
  for (int i = 0; i < kWords; ++i)
    words[i] = 0;
  words[0] = mxcsr | (std::uint64_t{control} << 32);
  words[7] = reinterpret_cast<std::uint64_t>(&Fiber::enter);
  own_ = words;
#else
  auto* context = static_cast<ucontext_t*>(own_);
  ::getcontext(context);
  context->uc_stack.ss_sp = memory_ + kGuardBytes;
  context->uc_stack.ss_size = stack_bytes_;
  context->uc_link = nullptr;
  ::makecontext(context, &Fiber::enter, 0);
#endif
}

void Fiber::enter() noexcept {
  Fiber* fiber = entering;
#if defined(LW_FIBER_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, &fiber->caller_stack_, &fiber->caller_stack_bytes_);
#endif
  fiber->body_(fiber->argument_);
  fiber->end();
}

void Fiber::resume() noexcept {
  entering = this;
#if defined(LW_FIBER_ASAN)
  __sanitizer_start_switch_fiber(&caller_fake_stack_, memory_ + kGuardBytes, stack_bytes_);
#elif defined(LW_FIBER_TSAN)
  tsan_caller_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_own_, 0);
#endif
#if defined(__x86_64__)
  longwire_softcuda_switch(&caller_, own_);
#else
  ::swapcontext(static_cast<ucontext_t*>(caller_), static_cast<ucontext_t*>(own_));
#endif
#if defined(LW_FIBER_ASAN)
  __sanitizer_finish_switch_fiber(caller_fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::leave([[maybe_unused]] bool for_ever) noexcept {
#if defined(LW_FIBER_ASAN)
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &own_fake_stack_, caller_stack_,
                                 caller_stack_bytes_);
#elif defined(LW_FIBER_TSAN)
  __tsan_switch_to_fiber(tsan_caller_, 0);
#endif
#if defined(__x86_64__)
  longwire_softcuda_switch(&own_, caller_);
#else
  ::swapcontext(static_cast<ucontext_t*>(own_), static_cast<ucontext_t*>(caller_));
#endif
#if defined(LW_FIBER_ASAN)
  __sanitizer_finish_switch_fiber(own_fake_stack_, &caller_stack_, &caller_stack_bytes_);
#endif
}

void Fiber::suspend() noexcept { leave(false); }

void Fiber::end() noexcept {
  ended_ = true;
  leave(true);
  std::abort();  // an ended fiber was resumed
}

}  // namespace longwire::softcuda::machine
