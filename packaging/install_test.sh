#!/usr/bin/env bash
# An installation under a prefix must have every file in its place, and each must name that prefix.
#   install_test.sh BUILD_DIR
set -euo pipefail
build=$1
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

# A component that is not built (a partial build) must not stop the layout test.
cmake --install "$build" --prefix "$prefix" >"$prefix/log" 2>&1 || {
  grep -q 'cannot find' "$prefix/log" && {
    echo "skipped: this build is not complete"
    exit 77
  }
  cat "$prefix/log"
  exit 1
}

failed=0
expect() { # FILE [TEXT]
  if [[ ! -s $prefix/$1 ]]; then
    echo "missing: $1"
    failed=1
  elif (($# == 2)) && ! grep -qF -- "$2" "$prefix/$1"; then
    echo "$1 does not say: $2"
    failed=1
  fi
}
libdir=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[A-Z]*=//p' "$build/CMakeCache.txt")
driver=${libdir:-lib}/longwire/liblongwire_opencl.so
expect etc/OpenCL/vendors/longwire.icd "$prefix/$driver"
expect lib/systemd/system/longwired.service "ExecStart=$prefix/bin/longwired"
expect lib/systemd/system/longwired.service 'SystemCallFilter=@system-service'
expect share/man/man1/longwire.1
expect share/man/man8/longwired.8
expect share/bash-completion/completions/longwire
if [[ -f $build/lib/liblongwire_opencl.so ]]; then expect "$driver"; fi
if [[ -f $build/bin/longwire ]]; then expect bin/longwire; fi
if [[ -f $build/bin/longwired ]]; then expect bin/longwired; fi
exit $failed
