// CPU time of other processes.
#pragma once

namespace longwire::bench {

// Microseconds of CPU that the process and its living descendants have used, all threads, ended
// ones too. 0 when it is gone or `process` is 0.
double tree_cpu_us(int process);

}  // namespace longwire::bench
