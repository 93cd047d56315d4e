// Fiber: a stack of its own on which a body runs until it suspends. Resumed by one thread at a
// time; a fiber that was suspended is resumed by the thread that started it.
#pragma once

#include <cstddef>
#include <cstdint>

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
  // Inside the body: ends it here. Nothing on its stack is destroyed.
  [[noreturn]] void end() noexcept;

 private:
  static void enter() noexcept;
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

}  // namespace longwire::softcuda::machine
