// Backend: how instructions are executed. The machine calls Code::run() once per warp, on the
// warp's fiber; it returns when every lane has exited. Whatever concerns more than the warp's own
// registers goes through Warp (warp.h): memory that must be checked, barriers, printf, faults.
#pragma once

#include <memory>

#include "base/result.h"
#include "softcuda/ir/ir.h"

namespace longwire::softcuda::machine {

class LoadedModule;
class Warp;
struct Dim3;

class Code {
 public:
  virtual ~Code() = default;
  // Before it runs blocks of that size: on the thread that launches, which has a whole stack.
  virtual void make_ready(const LoadedModule&, const Dim3&) const {}
  virtual void run(Warp& warp) const = 0;
  // No warp of the kernel waits for another one, so that all of them may run on one stack in turn.
  virtual bool in_turn() const noexcept { return false; }
  // Runs the warp and all behind it (Warp::next, Warp::next_block).
  virtual void run_all(Warp& warp) const;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const noexcept = 0;  // for people
  // kUnsupported, with the instruction and its line: what this back end does not execute. Asked
  // when a module is loaded, so that nothing fails later.
  virtual base::Status check(const ir::Module& module) const = 0;
  // Code for a kernel and all that it calls; from a cache, or made now. Any thread.
  virtual base::Result<std::shared_ptr<const Code>> prepare(const LoadedModule& module,
                                                            ir::FunctionId kernel) = 0;
  // The module goes away, and another may come to its address.
  virtual void forget(const LoadedModule& module) noexcept = 0;
};

}  // namespace longwire::softcuda::machine
