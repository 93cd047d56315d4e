// Exit codes of `longwire`, as longwire(1) documents them.
#pragma once

namespace longwire::app {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;  // it did not work; stderr says why
inline constexpr int kUsage = 2;   // the command line makes no sense
// `longwire run`, as env(1): else the program's own; 128 + N when signal N ended it.
inline constexpr int kRunFailed = 125;  // we could not set it up
inline constexpr int kCannotExecute = 126;
inline constexpr int kNotFound = 127;

}  // namespace longwire::app
