#!/usr/bin/env bash
# What `./dev demo --cuda-soft` shows: unmodified CUDA programs on a device made of software, once
# interpreted and once compiled, and the same kernels on PoCL.
#   examples/cuda/demo.sh [--build DIR] [--out DIR]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build=build/release
out=build/demo-cuda-soft
while (($#)); do
  case $1 in
    --build) build=$2 && shift ;;
    --out) out=$2 && shift ;;
    *)
      sed -n '2,4s/^# \{0,1\}//p' "$0"
      exit 2
      ;;
  esac
  shift
done
readonly build out PROGRAMS=(vector_add n_body transformer)
declare -A titles=(
  [vector_add]='vectorAdd: two million sums'
  [n_body]='n-body: two discs of stars, and a picture of them'
  [transformer]='transformer: a forward pass, held against the same on the host'
)
declare -A times
failed=0

bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
seconds() { printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10)); }

run() { # PROGRAM BACKEND ARGUMENT...: its output is shown and kept, its milliseconds noted
  local program=$1 backend=$2 began log
  shift 2
  log=$out/$program-$backend.txt
  began=$(now_ms)
  if ! LD_LIBRARY_PATH=$build/lib/softcuda LONGWIRE_SOFT_BACKEND=$backend \
    "$build/bin/cuda_$program" "$@" >"$log" 2>&1 </dev/null || ! grep -q '^result: ' "$log"; then
    echo "  failed: cuda_$program with LONGWIRE_SOFT_BACKEND=$backend"
    failed=1
  fi
  times[$program-$backend]=$(($(now_ms) - began))
  sed 's/^/    /' "$log"
}

show_program() { # PROGRAM
  local backend
  local -a arguments
  for backend in llvm interp; do
    arguments=()
    [[ $1 != n_body ]] || arguments=(--out "$out/particles-$backend.png")
    if [[ $backend == llvm ]]; then echo '  compiled (LLVM 19)'; else echo '  interpreted'; fi
    run "$1" "$backend" "${arguments[@]}"
  done
}

compare_pictures() {
  if cmp -s "$out/particles-llvm.png" "$out/particles-interp.png"; then
    echo '  both pictures are the same, bit for bit'
  else
    echo '  the pictures of the two back ends differ'
    failed=1
  fi
}

[[ -x $build/bin/cuda_n_body ]] || {
  echo "demo: $build/bin/cuda_n_body is missing: run ./dev demo --cuda-soft" >&2
  exit 1
}
rm -rf "$out"
mkdir -p "$out"

number=0
for program in "${PROGRAMS[@]}"; do
  number=$((number + 1))
  bold "$number. ${titles[$program]}"
  show_program "$program"
  [[ $program != n_body ]] || compare_pictures
done

bold 'Times, start to end (preparing the kernels included)'
printf '  %-14s %10s %12s\n' '' compiled interpreted
for program in "${PROGRAMS[@]}"; do
  printf '  %-14s %10s %12s\n' "$program" "$(seconds "${times[$program-llvm]}")" \
    "$(seconds "${times[$program-interp]}")"
done

bold 'The same kernels on PoCL, an OpenCL device on the same CPU'
/usr/bin/python3 bench/run.py soft --quick --build "$build" 2>"$out/bench.log" | sed 's/^/  /' || failed=1

bold 'Picture'
echo "  $PWD/$out/particles-llvm.png"
echo
((failed == 0)) || {
  echo "Something above did not work; what the programs said is in $out" >&2
  exit 1
}
echo "Everything ran on this machine's CPU. Your own program: docs/SOFTCUDA.md"
