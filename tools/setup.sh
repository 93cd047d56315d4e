#!/usr/bin/env bash
# Installs the Debian 12 packages that are missing; quick and silent when none is.
#   tools/setup.sh [--quiet] [--demo] [--long]
set -euo pipefail

packages=(
  build-essential g++ clang-14 libclang-rt-14-dev llvm-14 clang-format clang-tidy clang-19
  cmake ninja-build ccache pkg-config git python3 python3-jinja2
  libssl-dev libgtest-dev libgmock-dev libbenchmark-dev
  libasio-dev libfmt-dev libspdlog-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev
  llvm-19-dev libllvm19
  libseccomp-dev libpng-dev liblz4-dev libzstd-dev
  clang-19
  opencl-headers ocl-icd-opencl-dev ocl-icd-libopencl1 pocl-opencl-icd clinfo
  iproute2 strace
)
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
missing=()
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  if ((quiet == 0)); then echo "setup: every package is installed"; fi
  exit 0
fi

echo "setup: installing ${missing[*]}" >&2
as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup: not root and no sudo; as root run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
install=("${as_root[@]}" apt-get install -y -qq --no-install-recommends)
# A fresh machine has no package lists, or stale ones: fetch them when the first try fails.
"${install[@]}" "${missing[@]}" >/dev/null 2>&1 || {
  "${as_root[@]}" apt-get update -qq
  "${install[@]}" "${missing[@]}" >&2
}
