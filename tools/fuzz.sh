#!/usr/bin/env bash
# Runs the fuzzers of build/fuzz: 60 seconds each, or N hours shared among them.
#   tools/fuzz.sh [--hours N] [NAME...]
# New inputs are kept in build/fuzz/corpus/NAME, crashing ones in build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

hours=''
names=()
while (($#)); do
  case $1 in
    --hours)
      hours=${2:?--hours needs a number}
      shift 2
      ;;
    *)
      names+=("$1")
      shift
      ;;
  esac
done

fuzzers=()
for binary in build/fuzz/fuzz/fuzz_*; do
  [[ -x $binary && -f $binary ]] || continue
  if ((${#names[@]})) && [[ " ${names[*]} " != *" ${binary##*/} "* ]]; then continue; fi
  fuzzers+=("$binary")
done
if ((${#fuzzers[@]} == 0)); then
  echo "fuzz: no such fuzzer in build/fuzz/fuzz" >&2
  exit 1
fi

seconds=${LONGWIRE_FUZZ_SECONDS:-60}
if [[ -n $hours ]]; then
  seconds=$(awk -v hours="$hours" -v count=${#fuzzers[@]} 'BEGIN {print int(hours * 3600 / count)}')
fi

failed=0
mkdir -p build/fuzz/crashes
for binary in "${fuzzers[@]}"; do
  name=${binary##*/}
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  folders=("$corpus")
  if [[ -d $binary.corpus ]]; then folders+=("$binary.corpus"); fi
  printf '==> %s, %s s\n' "$name" "$seconds"
  log=build/fuzz/$name.log
  if "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name-" "${folders[@]}" >"$log" 2>&1; then
    grep -E 'stat::number_of_executed_units|stat::peak_rss_mb' "$log"
  else
    tail -n 40 "$log"
    echo "FAILED: $name; the input is in build/fuzz/crashes, the log is $log"
    failed=1
  fi
done
exit $failed
