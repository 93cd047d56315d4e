#include "softcuda/machine/fiber.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

#if defined(LW_FIBER_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(LW_FIBER_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__x86_64__)
// It goes on by a jump, not by a return: that the processor learns. A stack that begins has in rbx
// the argument of the function in r12.
extern "C" void longwire_softcuda_begin() noexcept;
asm(R"(
.macro longwire_softcuda_change_stack
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
.endm
.pushsection .text.longwire_softcuda_switch,"ax",@progbits
.globl longwire_softcuda_switch
.hidden longwire_softcuda_switch
.type longwire_softcuda_switch,@function
longwire_softcuda_switch:
  longwire_softcuda_change_stack
  popq %rcx
  jmp *%rcx
.size longwire_softcuda_switch,.-longwire_softcuda_switch
.globl longwire_softcuda_pass
.hidden longwire_softcuda_pass
.type longwire_softcuda_pass,@function
longwire_softcuda_pass:
  longwire_softcuda_change_stack
  ret
.size longwire_softcuda_pass,.-longwire_softcuda_pass
.globl longwire_softcuda_begin
.hidden longwire_softcuda_begin
.type longwire_softcuda_begin,@function
longwire_softcuda_begin:
  movq %rbx, %rdi
  jmp *%r12
.size longwire_softcuda_begin,.-longwire_softcuda_begin
.popsection
.purgem longwire_softcuda_change_stack
)");
#else
#include <ucontext.h>
#endif

namespace longwire::softcuda::machine {
namespace {

constexpr std::size_t kGuardBytes = 4096;

#if !defined(__x86_64__)
thread_local Fiber* entering = nullptr;  // for enter_noted(), which has no argument
#endif

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
  // As longwire_softcuda_switch leaves a stack: six registers, where to go on; then a return
  // address for enter(), which never returns. On entry a stack is 8 bytes off a multiple of 16.
  auto* top = reinterpret_cast<std::uint64_t*>(memory_ + kGuardBytes + stack_bytes_);
  constexpr int kWords = 8, kR12 = 3, kRbx = 4, kBegin = 6;
  std::uint64_t* words = top - kWords;
  for (int i = 0; i < kWords; ++i)
    words[i] = 0;
  words[kR12] = reinterpret_cast<std::uint64_t>(&Fiber::enter);
  words[kRbx] = reinterpret_cast<std::uint64_t>(this);
  words[kBegin] = reinterpret_cast<std::uint64_t>(&longwire_softcuda_begin);
  own_ = words;
#else
  auto* context = static_cast<ucontext_t*>(own_);
  ::getcontext(context);
  context->uc_stack.ss_sp = memory_ + kGuardBytes;
  context->uc_stack.ss_size = stack_bytes_;
  context->uc_link = nullptr;
  ::makecontext(context, &Fiber::enter_noted, 0);
#endif
}

#if !defined(__x86_64__)
void Fiber::enter_noted() noexcept { enter(entering); }
#endif

void Fiber::enter(Fiber* fiber) noexcept {
#if defined(LW_FIBER_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, &fiber->caller_stack_, &fiber->caller_stack_bytes_);
#endif
  fiber->body_(fiber->argument_);
  fiber->end();
}

#if !defined(__x86_64__) || defined(LW_FIBER_ASAN) || defined(LW_FIBER_TSAN)
void Fiber::resume() noexcept {
#if !defined(__x86_64__)
  entering = this;
#endif
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

void Fiber::suspend() noexcept { leave(false); }
void Fiber::pass_to(Fiber&) noexcept { std::abort(); }
#endif

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

void Fiber::end() noexcept {
  ended_ = true;
  leave(true);
  std::abort();  // an ended fiber was resumed
}

}  // namespace longwire::softcuda::machine
