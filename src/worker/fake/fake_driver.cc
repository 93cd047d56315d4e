#include "worker/fake/fake_driver.h"

#include <algorithm>

#include "base/check.h"
#include "worker/fake/fake_objects.h"

namespace longwire::worker::fake {
namespace {

FakeState* current = nullptr;

}  // namespace

FakeState& state() {
  LW_CHECK(current != nullptr);
  return *current;
}

FakeDriver::FakeDriver(const FakeOptions& options) {
  LW_CHECK(current == nullptr);
  current = new FakeState;
  current->options = options;
  current->options.devices = std::clamp(options.devices, 1u, kMaxFakeDevices);
  fill_device_functions(api_);
  fill_memory_functions(api_);
  fill_program_functions(api_);
  fill_queue_functions(api_);
}

FakeDriver::~FakeDriver() { delete std::exchange(current, nullptr); }

std::size_t FakeDriver::live_objects() const {
  const std::lock_guard lock(state().mutex);
  return state().live;
}

std::size_t FakeDriver::commands_run() const {
  const std::lock_guard lock(state().mutex);
  return state().commands;
}

std::size_t FakeDriver::memory_bytes() const {
  const std::lock_guard lock(state().mutex);
  return state().memory;
}

std::vector<std::uint32_t> FakeDriver::take_journal(std::uint32_t session) {
  const std::lock_guard lock(state().mutex);
  auto node = state().journals.extract(session);
  return node ? std::move(node.mapped()) : std::vector<std::uint32_t>{};
}

FakeObject::FakeObject() { ++state().live; }
FakeObject::~FakeObject() { --state().live; }

}  // namespace longwire::worker::fake
