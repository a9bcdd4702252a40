#!/bin/sh
# remove.sh RUN: ends all programs of what prefix.sh has made, and removes it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
run=$1
export WINEPREFIX="$run/prefix"
timeout 60 "$here/wine.sh" wineserver -k >/dev/null 2>&1 || true
timeout 60 "$here/wine.sh" wineserver -w >/dev/null 2>&1 || true
for mounted in "$PACKETCACHE_WINE_ROOT$WINEPREFIX" "$WINEPREFIX"; do
	if mountpoint -q "$mounted"; then umount --lazy "$mounted"; fi
done
rm -rf "$run"
