#include "figures/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace longwire::bench {
namespace {

constexpr std::size_t kMostValues = 64;

[[noreturn]] void be_the_child(int fd, const std::function<std::vector<double>()>& measure) {
  const std::vector<double> values = measure();
  const auto bytes = static_cast<ssize_t>(values.size() * sizeof(double));
  std::exit(::write(fd, values.data(), static_cast<std::size_t>(bytes)) == bytes ? 0 : 1);
}

}  // namespace

std::vector<double> in_child(const std::function<std::vector<double>()>& measure) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) be_the_child(ends[1], measure);
  ::close(ends[1]);
  std::vector<double> values(kMostValues);
  const ssize_t got = ::read(ends[0], values.data(), kMostValues * sizeof(double));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (child < 0 || got <= 0 || status != 0) {
    std::fprintf(stderr, "longwire_bench_figures: a process of its own failed (%d)\n", status);
    std::exit(1);
  }
  values.resize(static_cast<std::size_t>(got) / sizeof(double));
  return values;
}

}  // namespace longwire::bench
