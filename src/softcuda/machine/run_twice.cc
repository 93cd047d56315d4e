#include "softcuda/machine/run_twice.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "base/clock.h"

namespace longwire::softcuda::machine {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kPage = 4096;  // what is compared, and kept, at once
constexpr std::uint64_t kWord = 4;     // what a difference is told in

constexpr std::array<std::byte, kPage> kZeros{};

Error no_memory() { return {ErrorCode::kLimit, "no memory to keep what a kernel may write"}; }

// A part of an allocation, as it was. Zeros are not kept.
struct Page {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  std::unique_ptr<std::byte[]> before;
  std::unique_ptr<std::byte[]> after;  // what the first run made of it, where that is not the same

  std::byte* place() const { return reinterpret_cast<std::byte*>(address); }
  const std::byte* original() const { return before == nullptr ? kZeros.data() : before.get(); }
  const std::byte* expected() const { return after == nullptr ? original() : after.get(); }
  bool is(const std::byte* content) const { return std::memcmp(place(), content, bytes) == 0; }
  bool copy_to(std::unique_ptr<std::byte[]>& copy) const {
    copy.reset(new (std::nothrow) std::byte[bytes]);
    if (copy != nullptr) std::memcpy(copy.get(), place(), bytes);
    return copy != nullptr;
  }
};

struct Difference {
  Allocation allocation;
  std::uint64_t address = 0;
  std::uint32_t first = 0, second = 0;
  std::uint64_t words = 0;  // that differ, in all
};

// All of the memory that kernels may write.
class Snapshot {
 public:
  explicit Snapshot(Memory& memory) : memory_(memory) {}

  base::Status take() {
    for (const Allocation& allocation : memory_.allocations()) {
      Range range{allocation, {}};
      std::uint64_t bytes = allocation.bytes;
      if (allocation.kind != MemoryKind::kRegistered)
        bytes = (bytes + kAllocationAlignment - 1) / kAllocationAlignment * kAllocationAlignment;
      for (std::uint64_t at = 0; at < bytes; at += kPage) {
        Page page{allocation.address + at, std::min(kPage, bytes - at), nullptr, nullptr};
        if (!page.is(kZeros.data()) && !page.copy_to(page.before)) return no_memory();
        range.pages.push_back(std::move(page));
      }
      ranges_.push_back(std::move(range));
    }
    return {};
  }

  // Keeps what the first run has written, and puts back what was there.
  base::Status rewind() {
    for (Range& range : ranges_) {
      if (!still_there(range)) continue;
      for (Page& page : range.pages) {
        if (page.is(page.original())) continue;
        if (!page.copy_to(page.after)) return no_memory();
        std::memcpy(page.place(), page.original(), page.bytes);
      }
    }
    return {};
  }

  std::optional<Difference> compare() const {
    std::optional<Difference> found;
    for (const Range& range : ranges_) {
      if (!still_there(range)) continue;
      for (const Page& page : range.pages)
        if (!page.is(page.expected())) compare_words(range.allocation, page, found);
    }
    return found;
  }

 private:
  struct Range {
    Allocation allocation;
    std::vector<Page> pages;
  };

  // The program may have released it meanwhile.
  bool still_there(const Range& range) const {
    const auto now = memory_.find(range.allocation.address);
    return now && now->number == range.allocation.number;
  }

  static void compare_words(const Allocation& allocation, const Page& page,
                            std::optional<Difference>& found) {
    for (std::uint64_t at = 0; at < page.bytes; at += kWord) {
      const std::uint64_t bytes = std::min(kWord, page.bytes - at);
      std::uint32_t first = 0, second = 0;
      std::memcpy(&first, page.expected() + at, bytes);
      std::memcpy(&second, page.place() + at, bytes);
      if (first == second) continue;
      if (!found) found = Difference{allocation, page.address + at, first, second, 0};
      ++found->words;
    }
  }

  Memory& memory_;
  std::vector<Range> ranges_;
};

const char* kind_text(MemoryKind kind) {
  constexpr const char* kTexts[] = {"device memory",     "host memory",       "managed memory",
                                    "registered memory", "a module's memory", "the heap"};
  return kTexts[static_cast<std::size_t>(kind)];
}

// "+16 of global counter", where it is one of the kernel's module.
std::string global_text(const LoadedModule& module, std::uint64_t address) {
  const auto& variables = module.module().variables;
  for (ir::VariableId id = 0; id < variables.size(); ++id) {
    const ir::Variable& variable = variables[id];
    if (variable.space != ir::Space::kGlobal) continue;
    const std::uint64_t offset = address - module.address_of(id);
    if (offset < variable.bytes) return ", +" + std::to_string(offset) + " of " + variable.name;
  }
  return {};
}

class Comparison {
 public:
  Comparison(Memory& memory, const Launch& launch, const Run& first, const Run& second)
      : memory_(memory), launch_(launch), first_(first), second_(second) {}

  base::Result<std::optional<Fault>> run() {
    Snapshot snapshot(memory_);
    LW_TRY(snapshot.take());
    Replay one, two;
    one.clock = two.clock = static_cast<std::uint64_t>(base::wall_clock().now_ns());
    two.silent = true;
    LW_ASSIGN(auto fault, first_.run(one));
    for (const std::uint64_t address : one.allocated)
      (void)memory_.release(address);
    if (fault && fault->kind == FaultKind::kTimeout) return fault;
    LW_TRY(snapshot.rewind());
    LW_ASSIGN(auto other, second_.run(two));
    const auto verdict = judge(snapshot, fault, other, one.printed == two.printed);
    for (const std::uint64_t address : two.freed)
      (void)memory_.release(address);
    return verdict;
  }

 private:
  std::optional<Fault> judge(const Snapshot& snapshot, const std::optional<Fault>& fault,
                             const std::optional<Fault>& other, bool same_text) const {
    auto outcome = [](const std::optional<Fault>& f) { return f ? f->message : "no fault"; };
    if (fault.has_value() != other.has_value() || (fault && fault->kind != other->kind))
      return mismatch(": " + outcome(fault) + "; and: " + outcome(other));
    if (fault) return fault;
    if (const auto difference = snapshot.compare()) return mismatch(text_of(*difference));
    if (!same_text) return mismatch(" in what is printed");
    return std::nullopt;
  }

  Fault mismatch(const std::string& text) const {
    return {FaultKind::kMismatch,
            "kernel " + launch_.module->module().functions[launch_.kernel].name + ": " +
                first_.name + " and " + second_.name + " differ" + text};
  }

  std::string text_of(const Difference& d) const {
    char text[256];
    std::snprintf(text, sizeof text,
                  " in %" PRIu64 " words of memory, first at 0x%" PRIx64 ": byte %" PRIu64
                  " of the allocation of %" PRIu64 " bytes at 0x%" PRIx64 " (%s)",
                  d.words, d.address, d.address - d.allocation.address, d.allocation.bytes,
                  d.allocation.address, kind_text(d.allocation.kind));
    std::string all = text;
    if (d.allocation.kind == MemoryKind::kModule) all += global_text(*launch_.module, d.address);
    std::snprintf(text, sizeof text, ": 0x%08x and 0x%08x", d.first, d.second);
    return all + text;
  }

  Memory& memory_;
  const Launch& launch_;
  const Run& first_;
  const Run& second_;
};

}  // namespace

base::Result<std::optional<Fault>> run_twice(Memory& memory, const Launch& launch, const Run& first,
                                             const Run& second) {
  return Comparison(memory, launch, first, second).run();
}

}  // namespace longwire::softcuda::machine
