// Fiber: a stack of its own on which a body runs until it suspends. Resumed by one thread at a
// time; a fiber that was suspended is resumed by the thread that started it.
#pragma once

#include <cstddef>
#include <cstdint>

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

#if defined(__x86_64__)
// (where to keep this stack pointer, the one to go on with). What a call preserves is kept, but for
// the modes of the floating-point units, which are the same in all fibers (FloatingModes).
extern "C" void longwire_softcuda_switch(void** keep, void* to) noexcept;
// The same to where another fiber has called it from the same place, which the processor guesses.
extern "C" void longwire_softcuda_pass(void** keep, void* to) noexcept;
#endif

namespace longwire::softcuda::machine {

class Fiber {
 public:
  using Body = void (*)(void* argument);

  // A stack of `bytes` with a guard page below; usable() says whether there was memory for it.
  explicit Fiber(std::size_t bytes) noexcept;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  bool usable() const noexcept { return memory_ != nullptr; }

  // The next resume() begins `body` from an empty stack; what stood there is forgotten.
  void start(Body body, void* argument) noexcept;
  // Runs the body until it suspends or ends. REQUIRES: start() was called, and it has not ended.
  void resume() noexcept;
  bool ended() const noexcept { return ended_; }

  // Inside the body: back to resume(), which the next resume() continues.
  void suspend() noexcept;
  // The same, but `other` goes on as if resume() had been called for it. REQUIRES: kPasses.
#if defined(__x86_64__) && !defined(LW_FIBER_ASAN) && !defined(LW_FIBER_TSAN)
  static constexpr bool kPasses = true;
#else
  static constexpr bool kPasses = false;
#endif
  void pass_to(Fiber& other) noexcept;
  // Inside the body: ends it here. Nothing on its stack is destroyed.
  [[noreturn]] void end() noexcept;

 private:
  static void enter(Fiber* fiber) noexcept;
  static void enter_noted() noexcept;
  void prepare_stack() noexcept;
  void leave(bool for_ever) noexcept;
  void forget_sanitizer_state() noexcept;

  std::byte* memory_ = nullptr;  // the guard page, then the stack
  std::size_t stack_bytes_;
  void* own_ = nullptr;     // saved stack pointer (or context) of the body
  void* caller_ = nullptr;  // the same of resume()
  Body body_ = nullptr;
  void* argument_ = nullptr;
  bool ended_ = true;
  // What AddressSanitizer and ThreadSanitizer want to know.
  [[maybe_unused]] void* own_fake_stack_ = nullptr;
  [[maybe_unused]] void* caller_fake_stack_ = nullptr;
  [[maybe_unused]] const void* caller_stack_ = nullptr;
  [[maybe_unused]] std::size_t caller_stack_bytes_ = 0;
  [[maybe_unused]] void* tsan_own_ = nullptr;
  [[maybe_unused]] void* tsan_caller_ = nullptr;
};

#if defined(__x86_64__) && !defined(LW_FIBER_ASAN) && !defined(LW_FIBER_TSAN)
// In the caller's own code: behind a switch no processor guesses right where a function returns to.
inline void Fiber::resume() noexcept { longwire_softcuda_switch(&caller_, own_); }
inline void Fiber::suspend() noexcept { longwire_softcuda_switch(&own_, caller_); }
inline void Fiber::pass_to(Fiber& other) noexcept {
  other.caller_ = caller_;
  longwire_softcuda_pass(&own_, other.own_);
}
#endif

}  // namespace longwire::softcuda::machine
