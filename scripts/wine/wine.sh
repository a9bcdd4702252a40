#!/bin/sh
# wine.sh PROGRAM ARGS...: runs a Windows program within enter.sh, in the prefix
# WINEPREFIX, the current directory, and the network namespace
# PACKETCACHE_WINE_NETNS, if that is set. wine.sh wineserver ARGS... is Wine's server.
set -eu
: "${PACKETCACHE_WINE_ROOT:?run this within scripts/wine/bench.sh}"
if [ -x "$PACKETCACHE_WINE_ROOT/usr/lib/wine/wine64" ]; then # Debian's names
	export WINELOADER=/usr/lib/wine/wine64 WINESERVER=/usr/lib/wine/wineserver64
else
	export WINELOADER=wine WINESERVER=wineserver
fi
if [ "$1" = wineserver ]; then
	shift
	set -- "$WINESERVER" "$@"
else
	set -- "$WINELOADER" "$@"
fi
export WINEDEBUG="${WINEDEBUG:--all}"
# No menus, no .NET, no HTML; a wpcap.dll is the one that was named.
export WINEDLLOVERRIDES='winemenubuilder.exe=d;mscoree=d;mshtml=d;wpcap=n,b'
# Directories for temporary files have no drive letter, and Windows its own.
unset DISPLAY WAYLAND_DISPLAY TMPDIR GOTMPDIR
exec ${PACKETCACHE_WINE_NETNS:+nsenter --net="/run/netns/$PACKETCACHE_WINE_NETNS"} \
	chroot "$PACKETCACHE_WINE_ROOT" /usr/bin/env -C "$PWD" HOME="${WINEPREFIX%/*}/home" PATH=/usr/bin:/bin \
	LC_ALL=C.UTF-8 LD_PRELOAD="$PACKETCACHE_WINE/preload.so" "$@" </dev/null
