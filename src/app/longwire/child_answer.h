// ChildAnswer: text that a child process finds out and hands back. What loads other people's
// libraries, or changes its environment, does so there: a crash or a hang stays in the child.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace longwire::app {

inline constexpr std::size_t kMaxChildAnswerBytes = std::size_t{1} << 20;

class ChildAnswer {
 public:
  // Runs `ask` in a child. REQUIRES: one thread.
  static base::Result<ChildAnswer> start(const std::function<std::string()>& ask);
  ChildAnswer(ChildAnswer&& other) noexcept
      : process_(std::exchange(other.process_, -1)), answer_(std::move(other.answer_)) {}
  ChildAnswer& operator=(ChildAnswer&&) = delete;
  ~ChildAnswer();

  // Waits. Errors: kTimeout, kUnavailable (a signal has ended the child). Empty: it said nothing.
  base::Result<std::string> finish(base::Deadline deadline = base::Deadline::never());

 private:
  ChildAnswer(int process, base::UniqueFd answer) : process_(process), answer_(std::move(answer)) {}
  int process_;
  base::UniqueFd answer_;
};

}  // namespace longwire::app
