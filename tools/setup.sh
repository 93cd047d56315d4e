#!/usr/bin/env bash
# Installs the Debian 12 packages that are missing; quick and silent when none is.
#   tools/setup.sh [--quiet] [--demo] [--long]
set -euo pipefail

packages=(
  build-essential g++ clang-14 libclang-rt-14-dev llvm-14 clang-format clang-tidy
  cmake ninja-build ccache pkg-config git python3 python3-jinja2
  libssl-dev libgtest-dev libgmock-dev libbenchmark-dev
  libasio-dev libfmt-dev libspdlog-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev
  libseccomp-dev libpng-dev liblz4-dev libzstd-dev
  opencl-headers ocl-icd-opencl-dev ocl-icd-libopencl1 pocl-opencl-icd clinfo
  iproute2 strace
)
# Without them the LLVM back end of the soft CUDA device and the programs that test it are not built.
optional_packages=(clang-19 llvm-19-dev libllvm19)
demo_packages=(hashcat)
long_packages=(hashcat ffmpeg python3-pyopencl python3-numpy darktable)

quiet=0
for argument in "$@"; do
  case $argument in
    --quiet) quiet=1 ;;
    --demo) packages+=("${demo_packages[@]}") ;;
    --long) packages+=("${long_packages[@]}") ;;
    *)
      echo "setup: unknown option '$argument' (--quiet, --demo or --long)" >&2
      exit 2
      ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not Debian; install by hand what tools/setup.sh lists" >&2
  exit 0
fi

installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' 2>/dev/null | sed -n 's/^ii *//p')
missing_of() { # PACKAGE...
  local package
  for package in "$@"; do
    grep -qxF -- "$package" <<<"$installed" || echo "$package"
  done
}
mapfile -t missing < <(missing_of "${packages[@]}")
mapfile -t optional < <(missing_of "${optional_packages[@]}")
if ((${#missing[@]} + ${#optional[@]} == 0)); then
  if ((quiet == 0)); then echo "setup: every package is installed"; fi
  exit 0
fi

echo "setup: installing ${missing[*]} ${optional[*]}" >&2
as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup: not root and no sudo; as root run: apt-get install ${missing[*]} ${optional[*]}" >&2
    exit $((${#missing[@]} > 0))
  fi
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
apt=("${as_root[@]}" apt-get install -y -qq --no-install-recommends)
# A fresh machine has no package lists, or stale ones: they are fetched when the first try fails.
install() { # PACKAGE...
  (($# == 0)) && return
  "${apt[@]}" "$@" >/dev/null 2>&1 || {
    "${as_root[@]}" apt-get update -qq && "${apt[@]}" "$@" >&2
  }
}
install "${missing[@]}"
install "${optional[@]}" || echo "setup: goes on without ${optional[*]}" >&2
