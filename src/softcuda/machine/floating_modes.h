// FloatingModes: while it lives, the thread's floating-point units round to nearest, flush nothing
// and trap nothing, whatever the program has set for itself (-ffast-math, fesetround()).
#pragma once

#include <cfenv>
#include <cstdint>

namespace longwire::softcuda::machine {

class FloatingModes {
 public:
  FloatingModes() noexcept {
#if defined(__x86_64__)
    asm volatile("stmxcsr %0" : "=m"(mxcsr_));
    asm volatile("fnstcw %0" : "=m"(control_));
    set(kMxcsr, kControl);
#else
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
#endif
  }
  ~FloatingModes() {
#if defined(__x86_64__)
    set(mxcsr_, control_);
#else
    std::fesetenv(&saved_);
#endif
  }
  FloatingModes(const FloatingModes&) = delete;
  FloatingModes& operator=(const FloatingModes&) = delete;

 private:
#if defined(__x86_64__)
  // As a process has them at its beginning.
  static constexpr std::uint32_t kMxcsr = 0x1f80;
  static constexpr std::uint16_t kControl = 0x37f;
  static void set(std::uint32_t mxcsr, std::uint16_t control) noexcept {
    asm volatile("ldmxcsr %0" : : "m"(mxcsr));
    asm volatile("fldcw %0" : : "m"(control));
  }
  std::uint32_t mxcsr_ = 0;
  std::uint16_t control_ = 0;
#else
  std::fenv_t saved_;
#endif
};

}  // namespace longwire::softcuda::machine
