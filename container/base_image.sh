#!/usr/bin/env bash
# Makes the base image of container/Dockerfile from Debian's packages, where no image registry can be reached.
#
#   sudo container/base_image.sh [MIRROR [TAG]]
#   make image IMAGE_ARGS="--build-arg BASE_IMAGE=localhost/python:3.11-slim-bookworm"
#
# Security updates come from MIRROR-security, as on deb.debian.org. ENGINE chooses between podman and docker;
# podman keeps the images of root apart, so build with it as root, too.
set -euo pipefail

MIRROR=${1:-http://deb.debian.org/debian}
TAG=${2:-localhost/python:3.11-slim-bookworm}
PACKAGES=ca-certificates,python3,python3-venv

fail() {
  echo "$1" >&2
  exit 1
}

command -v debootstrap > /dev/null || fail "debootstrap is not installed; install the package debootstrap."
ENGINE=${ENGINE:-$(command -v podman || command -v docker || true)}
[ -n "$ENGINE" ] || fail "Neither podman nor docker is installed; install the package podman."
[ "$(id -u)" = 0 ] || fail "debootstrap makes files of the user root; start this program as root."

scratch=$(mktemp -d)
root=$scratch/root
log=$scratch/log
# On one file system: /proc, which debootstrap mounts while it works, is never reached.
trap 'rm -rf --one-file-system "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

logged() {
  "$@" >> "$log" 2>&1 || { tail -n 5 "$log" >&2; fail "$1 failed; the mirror was $MIRROR."; }
}

echo "Taking Debian bookworm with Python 3.11 from $MIRROR"
logged debootstrap --variant=minbase --include="$PACKAGES" bookworm "$root" "$MIRROR"
cat > "$root/etc/apt/sources.list" << END
deb $MIRROR bookworm main
deb $MIRROR bookworm-updates main
deb $MIRROR-security bookworm-security main
END
export DEBIAN_FRONTEND=noninteractive
# Any: without the security updates there shall be no image.
logged chroot "$root" apt-get -q -o APT::Update::Error-Mode=any update
logged chroot "$root" apt-get -qy upgrade

# What apt can get again, and what nobody reads in a container; the licences, which an SBOM reads, stay.
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
rm -rf "$root"/usr/share/{man,info,lintian}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/{apt,debconf,ldconfig}/* \
  "$root"/var/log/{*.log,apt/*}
# The engine writes these for each container; here they are those of this machine.
rm -f "$root/etc/resolv.conf" "$root/etc/hostname"

tar -C "$root" --numeric-owner --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c . \
  | "$ENGINE" import --change 'CMD ["python3"]' - "$TAG" > /dev/null
echo "Made $TAG"
