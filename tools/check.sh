#!/usr/bin/env bash
# Everything that a change must pass; prints a table at the end. See `./dev help`.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly JOBS="${LONGWIRE_JOBS:-$(nproc)}"

long=0
all=0
list=0
only=''
while (($#)); do
  case $1 in
    --long) long=1 ;;
    --all) all=1 ;;
    --list) list=1 ;;
    --only)
      only=${2-}
      [[ -n $only ]] || { echo 'check: --only needs a pattern (see --list)' >&2; exit 2; }
      shift
      ;;
    *)
      echo "check: unknown option '$1' (--long, --all, --list, --only or --update-ratchet)" >&2
      exit 2
      ;;
  esac
  shift
done

table=()
failed=0
step() { # NAME COMMAND...: 77 means skipped
  local name=$1 begin=$SECONDS verdict
  shift
  [[ -z $only || $name =~ $only ]] || return 0
  if ((list)); then
    printf '%s\n' "$name"
    return 0
  fi
  if [[ -t 1 ]]; then printf '\033[1m==> %s\033[0m\n' "$name"; else printf '==> %s\n' "$name"; fi
  "$@"
  case $? in
    0) verdict=passed ;;
    77) verdict=skipped ;;
    *)
      verdict=FAILED
      failed=1
      ;;
  esac
  table+=("$(printf '%-42s %-8s %5d s' "$name" "$verdict" $((SECONDS - begin)))")
}

# The files that differ from where this branch left its upstream, or all when there is none.
sources_to_tidy() {
  local base
  if ((all == 0)) && base=$(git merge-base HEAD '@{upstream}' 2>/dev/null); then
    { git diff --name-only --diff-filter=d "$base" && git ls-files --others --exclude-standard; } |
      sort -u | grep -E '^(src|examples|bench)/.*\.cc$'
  else
    git ls-files -- 'src/*.cc' 'examples/*.cc' 'bench/*.cc'
  fi | grep -vE '_test\.cc$|/fuzz_[^/]*$' # tests may use what was moved from, to see that it is empty
}

run_clang_tidy() {
  ./dev build clang >/dev/null || return 1 # generated headers must be there
  local -a files
  mapfile -t files < <(sources_to_tidy)
  if ((${#files[@]} == 0)); then
    echo 'no C++ source has changed'
    return 0
  fi
  printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$JOBS" clang-tidy --quiet -p build/clang 2> >(
    grep -vE 'warnings? generated|Suppressed|Use -header-filter' >&2
  )
}

run_conformance() {
  local script
  for script in tests/conformance/*.sh; do
    [[ -x $script ]] || continue
    step "conformance: $(basename "$script" .sh)" "$script"
  done
}

step 'format' ./dev fmt --check
step 'include layers' /usr/bin/python3 tests/tidy/layers.py
step 'function and file sizes' /usr/bin/python3 tests/tidy/sizes.py
step 'gcc: build and test' ./dev test release
step 'clang: build and test' ./dev test clang
step 'clang-tidy' run_clang_tidy
step 'asan, ubsan: build and test' ./dev test asan
step 'tsan: build and test' ./dev test tsan

# Fresh seeds each time; a failure names its own. Some 100 sessions a second on two cores.
run_session_sim() {
  local first=$((RANDOM * 1000000 + 10001))
  ./dev build release -- session_sim >/dev/null || return 1
  build/release/tests/session_sim --seed "$first" --sessions "${LONGWIRE_SIM_SESSIONS:-1000000}"
}

has_cuda_clang() { command -v clang++-19 >/dev/null; }

# An approximate instruction of the soft CUDA device on all inputs of f32.
run_every_input() { # BACKEND FUNCTION
  has_cuda_clang || return 77
  ./dev build release -- softcuda_every_input >/dev/null || return 1
  LONGWIRE_SOFT_BACKEND=$1 build/release/tests/softcuda_every_input "$2"
}

# The soft device's driver API at random, its threads watched. A failure names its seed.
run_soft_stress() {
  has_cuda_clang || return 77
  ./dev build tsan -- softcuda_stress >/dev/null || return 1
  LONGWIRE_SOFT_MEMORY_MB=256 build/tsan/tests/softcuda_stress --seed "$RANDOM" \
    --seconds "${LONGWIRE_STRESS_SECONDS:-300}" --threads 6
}

run_chaos() {
  ./dev build release >/dev/null && "tests/chaos/$1"
}

if ((long)); then
  step 'packages of the conformance programs' tools/setup.sh --long
  run_conformance
  step 'chaos: ten minutes of cuts and deaths' run_chaos run.py
  step 'simulation of a million sessions' run_session_sim
  for function in rcp sqrt rsqrt sin cos lg2 ex2 tanh; do
    step "soft CUDA: all of $function, interpreted" run_every_input interp "$function"
    step "soft CUDA: all of $function, compiled" run_every_input llvm "$function"
  done
  step 'soft CUDA device: five minutes at random' run_soft_stress
  step 'chaos: a cut of ten seconds' run_chaos cut.py
  step 'chaos: deaths in the middle of a kernel' run_chaos deaths.py
fi

((list)) && exit 0
if ((${#table[@]} == 0)); then
  echo "check: no step is called like '$only' (see --list)" >&2
  exit 2
fi
printf '\n'
printf '%s\n' "${table[@]}"
exit $failed
