#!/usr/bin/env bash
# Runs commands of a fresh clone (of HEAD) on a fresh Debian 12: a chroot that has only what
# debootstrap puts there. Needs root and apt's network.
#   tools/fresh_machine.sh [COMMAND...]      default: ./dev test
# LONGWIRE_FRESH names the folder; one that exists is used again, with its packages.
set -euo pipefail
repository=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
fresh=${LONGWIRE_FRESH:-/var/tmp/longwire-fresh}
((EUID == 0)) || {
  echo "fresh_machine: needs root" >&2
  exit 1
}
(($#)) || set -- ./dev test

if [[ ! -x $fresh/bin/bash ]]; then
  command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null
  debootstrap --variant=minbase bookworm "$fresh" >/dev/null
fi
cp /etc/resolv.conf "$fresh/etc/"
rm -rf "$fresh/root/longwire"
git clone -q "$repository" "$fresh/root/longwire"
# The mounts live in a namespace of their own and end with the command.
exec unshare --mount bash -euc '
  fresh=$1
  shift
  mount -t proc proc "$fresh/proc"
  mount --rbind /sys "$fresh/sys"
  mount --rbind /dev "$fresh/dev"
  exec chroot "$fresh" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    TERM="${TERM-dumb}" bash -c "cd /root/longwire && exec \"\$@\"" - "$@"
' - "$fresh" "$@"
