#include "softcuda/jit/table.h"

#include <algorithm>

#include "softcuda/jit/runtime.h"

namespace longwire::softcuda::jit {
namespace {

constexpr std::size_t kFirstFunction = static_cast<std::size_t>(Called::kCount);

template <class T>
std::uint64_t address(T* of) {
  return reinterpret_cast<std::uint64_t>(of);
}

}  // namespace

Table::Table(const interp::KernelPrograms& programs) : programs_(programs) {
  for (const interp::Program& program : programs.functions)
    if (program.function != nullptr) functions_.push_back(&program);
  variables_ = kFirstFunction + functions_.size();
}

std::size_t Table::steps(const interp::Program& program) const {
  const auto found = std::lower_bound(functions_.begin(), functions_.end(), &program);
  return kFirstFunction + static_cast<std::size_t>(found - functions_.begin());
}

std::vector<std::uint64_t> Table::words() const {
  std::vector<std::uint64_t> all = {address(&run_step), address(&run_access),
                                    address(&run_barrier)};
  for (const interp::Program* program : functions_)
    all.push_back(address(program->steps.data()));
  all.insert(all.end(), programs_.variables.begin(), programs_.variables.end());
  return all;
}

}  // namespace longwire::softcuda::jit
