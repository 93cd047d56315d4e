#include "softcuda/driver/driver.h"

#include <pthread.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <utility>

#include "softcuda/driver/condition.h"
#include "softcuda/driver/graph_memory.h"
#include "softcuda/driver/stream.h"
#include "softcuda/interp/interp.h"
#include "softcuda/jit/jit.h"

namespace longwire::softcuda::driver {
namespace {

std::atomic<Driver*> the_one{nullptr};
std::atomic<bool> forked{false};

// Only of a folder that is not safe: one that cannot be made is no mistake of anybody's.
void complain_of_cache(const base::Error& error) {
  if (error.code() == base::ErrorCode::kPermissionDenied)
    std::fprintf(stderr, "softcuda: code cache: %s\n", error.message().c_str());
}

// Null, with a line that says why: what was asked for is not there.
std::unique_ptr<machine::Backend> make_backend(const Options& options) {
  const BackendChoice choice = options.backend;
  if (choice == BackendChoice::kInterpreter) return interp::create();
  if (choice == BackendChoice::kUnknown) {
    std::fputs("softcuda: LONGWIRE_SOFT_BACKEND is neither interp, llvm nor check\n", stderr);
    return nullptr;
  }
  auto made = jit::create(options.cache, &complain_of_cache);
  if (made.ok()) return std::move(made).value();
  std::fprintf(stderr, "softcuda: LONGWIRE_SOFT_BACKEND: %s\n", made.error().message().c_str());
  return nullptr;
}

CUresult make_device(Driver& driver, int ordinal) {
  auto backend = make_backend(driver.options);
  if (backend == nullptr) return CUDA_ERROR_SYSTEM_NOT_READY;
  std::unique_ptr<machine::Backend> second;
  if (driver.options.backend == BackendChoice::kCheck)
    second = std::exchange(backend, interp::create());
  auto machine =
      machine::Machine::create(driver.options.machine, std::move(backend), std::move(second));
  if (!machine.ok()) return CUDA_ERROR_SYSTEM_NOT_READY;
  auto device = std::make_unique<Device>();
  device->ordinal = ordinal;
  device->machine = std::move(machine).value();
  auto pool = std::make_shared<Pool>();
  pool->device = device.get();
  pool->is_default = true;
  pool->properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  pool->properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, ordinal};
  device->default_pool = device->current_pool = driver.pools.add(std::move(pool));
  driver.devices.push_back(std::move(device));
  return CUDA_SUCCESS;
}

CUresult make_driver() {
  auto driver = std::make_unique<Driver>();
  driver->options = read_options();
  driver->options.machine.set_condition = [conditions = driver->conditions.get()](
                                              std::uint64_t handle, std::uint32_t value) {
    return conditions->set(handle, value);
  };
  for (int ordinal = 0; ordinal < driver->options.devices; ++ordinal)
    if (CUresult status = make_device(*driver, ordinal); status != CUDA_SUCCESS) return status;
  ::pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
  the_one.store(driver.release(), std::memory_order_release);
  return CUDA_SUCCESS;
}

}  // namespace

Driver::Driver()
    : graph_memory(std::make_unique<GraphMemory>()), conditions(std::make_unique<Conditions>()) {}
Driver::~Driver() = default;

Driver* the_driver() noexcept {
  return forked.load(std::memory_order_relaxed) ? nullptr : the_one.load(std::memory_order_acquire);
}

CUresult initialise() noexcept {
  static std::mutex mutex;
  if (forked.load()) return CUDA_ERROR_NOT_INITIALIZED;
  try {
    std::lock_guard lock(mutex);
    return the_one.load() != nullptr ? CUDA_SUCCESS : make_driver();
  } catch (...) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
}

}  // namespace longwire::softcuda::driver

namespace longwire::cudaapi {

CUresult not_supported() noexcept {
  return softcuda::driver::the_driver() == nullptr ? CUDA_ERROR_NOT_INITIALIZED
                                                   : CUDA_ERROR_NOT_SUPPORTED;
}

}  // namespace longwire::cudaapi
