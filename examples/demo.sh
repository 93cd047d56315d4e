#!/usr/bin/env bash
# What `./dev demo` shows: programs that know nothing of Longwire, first on this machine's own OpenCL,
# then with the wire between them and the same device: TLS on loopback, a private node per program.
# Everything it starts ends with it.
#   examples/demo.sh [--local=unix|tcp|tls] [--build DIR] [--out DIR]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=tls
build=build/release
out=build/demo
while (($#)); do
  case $1 in
    --local=unix | --local=tcp | --local=tls) mode=${1#*=} ;;
    --build) build=$2 && shift ;;
    --out) out=$2 && shift ;;
    *)
      sed -n '2,5s/^# \{0,1\}//p' "$0"
      exit 2
      ;;
  esac
  shift
done

readonly LONGWIRE=$build/bin/longwire MICROSCOPY=$build/bin/microscopy
# The MD5 of WORD; the mask leaves three letters to be found.
readonly HASH=10299aa2fc14b43f19e543c304da6866 WORD=longwire MASK='longw?l?l?l'
failed=0
declare -a names natives remotes

bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
seconds() { printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10)); }

# measure VARIABLE LOG PROGRAM...: runs it, keeps its output, sets VARIABLE to the milliseconds.
measure() {
  local -n took=$1
  local log=$2 began
  shift 2
  began=$(now_ms)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    printf '  failed: %s\n' "$*"
    tail -n 5 "$log" | sed 's/^/    /'
    failed=1
  fi
  took=$(($(now_ms) - began))
}

remotely() { "$LONGWIRE" run --local="$mode" --node-log "$out/node.log" -- "$@"; }

note_times() { # NAME NATIVE_MS REMOTE_MS
  names+=("$1")
  natives+=("$2")
  remotes+=("$3")
}

show_devices() {
  bold "1. clinfo -l through the wire ($mode)"
  local native remote
  measure native "$out/clinfo-native.txt" clinfo -l
  measure remote "$out/clinfo-remote.txt" remotely clinfo -l
  sed 's/^/  /' "$out/clinfo-remote.txt"
  grep -q 'Device #0' "$out/clinfo-remote.txt" || failed=1
  note_times 'clinfo -l' "$native" "$remote"
}

show_microscopy() {
  bold '2. microscopy: a blurred, noisy image stack, restored by deconvolution'
  local native remote
  measure native "$out/microscopy-native.txt" "$MICROSCOPY" --out "$out/pictures-native"
  measure remote "$out/microscopy-remote.txt" remotely "$MICROSCOPY" --out "$out/pictures"
  grep -E '^(before|after|result) ' "$out/microscopy-remote.txt" | sed 's/^/  /'
  if cmp -s "$out/pictures/after.png" "$out/pictures-native/after.png"; then
    echo '  the restored picture is the same, bit for bit, natively and through the wire'
  else
    echo '  the restored pictures differ'
    failed=1
  fi
  note_times microscopy "$native" "$remote"
}

# hashcat keeps a session in a file of that name: one per run, so that two demos do not meet.
crack() { # LOG_SUFFIX
  hashcat --session "longwire-demo-$$-$1" --force --potfile-disable --restore-disable \
    --backend-ignore-cuda --opencl-device-types 1,2,3 --quiet -m 0 -a 3 "$HASH" "$MASK"
}

show_hashcat() {
  bold "3. hashcat: which word has the MD5 $HASH?"
  if ! command -v hashcat >/dev/null; then
    echo '  skipped: hashcat is not installed (./dev setup --demo)'
    return
  fi
  local native remote
  measure native "$out/hashcat-native.txt" crack native
  export -f crack
  export HASH MASK
  measure remote "$out/hashcat-remote.txt" remotely bash -c 'crack remote'
  grep -h "^$HASH:" "$out/hashcat-remote.txt" | sed 's/^/  /' || true
  if ! grep -q "^$HASH:$WORD$" "$out/hashcat-remote.txt"; then
    echo '  not cracked through the wire'
    failed=1
  fi
  note_times hashcat "$native" "$remote"
}

show_times() {
  bold "Times, start to end (a program's start, its kernels' build and the node's start included)"
  printf '  %-12s %10s %10s %8s\n' '' native "over $mode" ratio
  local i
  for i in "${!names[@]}"; do
    printf '  %-12s %10s %10s %7d%%\n' "${names[i]}" "$(seconds "${natives[i]}")" \
      "$(seconds "${remotes[i]}")" $((remotes[i] * 100 / (natives[i] > 0 ? natives[i] : 1)))
  done
}

[[ -x $LONGWIRE && -x $MICROSCOPY ]] || {
  echo "demo: $LONGWIRE or $MICROSCOPY is missing: run ./dev build" >&2
  exit 1
}
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)

show_devices
show_microscopy
show_hashcat
show_times
bold 'Pictures'
printf '  %s\n' "$out"/pictures/*.png
echo
((failed == 0)) || {
  echo "Something above did not work; the node's log is $out/node.log" >&2
  exit 1
}
echo 'Everything ran through the wire. Try your own: '"$LONGWIRE run --local=tls -- PROGRAM"
