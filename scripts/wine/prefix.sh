#!/bin/sh
# prefix.sh RUN: makes RUN/prefix, a fresh copy of the prepared Wine prefix, and
# starts its wineserver in the network namespace PACKETCACHE_WINE_NETNS.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
run=$1
export WINEPREFIX="$run/prefix"
mkdir -p "$run/home" "$run/upper" "$run/work" "$WINEPREFIX"
# An overlay takes no time; where there is none, files are copied.
if mount -t overlay -o "lowerdir=$PACKETCACHE_WINE/prefix,upperdir=$run/upper,workdir=$run/work" overlay "$WINEPREFIX" 2>/dev/null; then
	if [ "$PACKETCACHE_WINE_ROOT" != / ]; then
		mount --bind "$WINEPREFIX" "$PACKETCACHE_WINE_ROOT$WINEPREFIX"
	fi
else
	cp -a "$PACKETCACHE_WINE/prefix/." "$WINEPREFIX"
fi
# Without -p the wineserver ends, and services with it, soon after the last
# program. Whoever starts it waits for the end of its output: so a log.
timeout 60 "$here/wine.sh" wineserver -p >"$run/log" 2>&1
timeout 120 "$here/wine.sh" wineboot >>"$run/log" 2>&1
