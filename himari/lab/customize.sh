#!/bin/sh
# Finishes a lab's image. $1: its root; $2: the folder with certificates/ and packages.
set -eu
root=$1 given=$2

rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
rm -f "$root/etc/hostname"

cp "$given"/certificates/* "$root/usr/local/share/ca-certificates/" 2>/dev/null || :
chroot "$root" update-ca-certificates >/dev/null 2>&1

# The kernel of this machine may lack WireGuard, and a container cannot load it.
mkdir -p "$root/etc/systemd/system/wg-quick@.service.d"
cat >"$root/etc/systemd/system/wg-quick@.service.d/userspace.conf" <<'UNIT'
[Service]
Environment=WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go
Environment=WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1
UNIT

# What the hosts will ask for lies in the image as .debs; what those need is installed, as on a machine that is rented.
chroot "$root" apt-get clean
if [ -s "$given/packages" ]; then
  get() { chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }
  wanted=$(cat "$given/packages")
  needed=$(get --simulate $wanted | awk '/^Inst/ { print $2 }' | grep -vxF -f "$given/packages") || :
  [ -z "$needed" ] || get -qq $needed >/dev/null
  [ -z "$needed" ] || chroot "$root" apt-mark auto $needed >/dev/null
  get -qq --download-only $wanted >/dev/null
fi
