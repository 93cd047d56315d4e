#!/usr/bin/env bash
# The Debian packages, installed into an empty root, used, removed and purged: nothing of this
# machine changes.
#   package_test.sh BUILD_DIR
set -euo pipefail
build=$1
for tool in cpack dpkg dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
if ((EUID != 0)); then
  echo "skipped: only root installs packages"
  exit 77
fi
if grep -q '^LONGWIRE_SANITIZE:[A-Z]*=.' "$build/CMakeCache.txt"; then
  echo "skipped: packages are not made of sanitized builds"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "$*"
  failed=1
}

cpack --config "$build/CPackConfig.cmake" -B "$work/packages" \
  -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip >"$work/log" 2>&1 || {
  grep -q 'cannot find' "$work/log" && { echo "skipped: this build is not complete"; exit 77; }
  cat "$work/log"
  exit 1
}
root=$work/root
mkdir -p "$root"/var/lib/dpkg/{info,updates} "$root/etc"
touch "$root/var/lib/dpkg/status"
# Not this machine's linker cache.
mkdir "$work/bin"
printf '#!/bin/sh\n' >"$work/bin/ldconfig"
chmod +x "$work/bin/ldconfig"
export PATH=$work/bin:$PATH
# Maintainer scripts run without chroot (the root has no shell), and see DPKG_ROOT. What the
# packages depend on is not in it.
in_root() {
  dpkg --root="$root" --log=/dev/null --force-not-root --force-depends --force-script-chrootless \
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}
left() { (cd "$root" && find . -path ./var/lib/dpkg -prune -o -type f -print -o -type l -print); }

in_root --install "$work"/packages/*.deb
for file in usr/bin/longwire usr/bin/longwired usr/libexec/longwire/longwire-worker \
  usr/lib/systemd/system/longwired.service usr/share/man/man1/longwire.1.gz \
  usr/share/man/man8/longwired.8.gz usr/share/bash-completion/completions/longwire \
  usr/share/doc/longwire/examples/config.toml usr/share/doc/longwired/examples/longwired.toml \
  usr/share/doc/longwire/copyright usr/share/doc/longwire-opencl/copyright; do
  [[ -s $root/$file ]] || fail "missing: $file"
done
[[ -s $root$(cat "$root/etc/OpenCL/vendors/longwire.icd") ]] || fail "the ICD file names nothing"
grep -q '^ExecStart=/usr/bin/longwired$' "$root/usr/lib/systemd/system/longwired.service" ||
  fail "the service starts something else"
for command in longwire longwired; do
  [[ $("$root/usr/bin/$command" --version) == "$command "* ]] || fail "$command does not run"
done
mapfile -t names < <(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Package}\n')
[[ ${names[*]} == 'longwire longwire-opencl longwired' ]] || fail "packages: ${names[*]}"
for name in "${names[@]}"; do
  dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Depends}\n' "$name" | grep -q 'libc6 (>= ' ||
    fail "$name does not depend on the libc that it was linked with"
done

mkdir -p "$root"/var/{lib,cache}/longwire
touch "$root/var/lib/longwire/identity.pem" "$root/var/cache/longwire/build"
in_root --remove longwired longwire-opencl longwire
[[ -e $root/var/lib/longwire/identity.pem ]] || fail "removing has thrown the node's key away"
others=$(left | grep -v -e '^./var/lib/longwire/' -e '^./var/cache/longwire/' \
  -e '^./var/lib/systemd/' -e '^./etc/systemd/' || true)
[[ $others == ./etc/OpenCL/vendors/longwire.icd ]] || fail "removed, and left: $others"
in_root --purge longwired longwire-opencl longwire
[[ -z $(left) ]] || fail "purged, and left: $(left)"
exit $failed
