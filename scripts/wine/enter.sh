#!/bin/sh
# enter.sh DIR RUN COMMAND...: runs a command in mount and process namespaces of
# its own, in which wine.sh runs Windows programs. DIR is what setup.sh has
# printed, RUN a directory in which to mount. However it ends, by itself, by a
# signal or with its parent, no process and no mount is left.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "${PACKETCACHE_WINE_INSIDE:-}" != "$2" ]; then
	export PACKETCACHE_WINE_INSIDE="$2"
	exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc "$here/enter.sh" "$@"
fi
dir=$1 run=$2
shift 2

# Wine sees this machine's files under their names, but /usr from its own root.
export PACKETCACHE_WINE_ROOT=/
if [ "$(readlink -f "$dir/root")" != / ]; then
	export PACKETCACHE_WINE_ROOT="$run/root.mounted"
	mkdir -p "$PACKETCACHE_WINE_ROOT"
	mount -t tmpfs -o mode=755 tmpfs "$PACKETCACHE_WINE_ROOT"
	for path in /*; do
		name=${path#/}
		case $name in
		bin | sbin | lib | lib32 | lib64 | libx32) continue ;;
		usr | etc) from=$dir/root/$name ;;
		*) from=$path ;;
		esac
		[ -d "$from" ] && [ ! -L "$from" ] || continue
		mkdir "$PACKETCACHE_WINE_ROOT/$name"
		mount --rbind "$from" "$PACKETCACHE_WINE_ROOT/$name"
	done
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$PACKETCACHE_WINE_ROOT/$name"
	done
fi
# Network namespaces made in here go with it.
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
export PACKETCACHE_WINE="$dir" WINEPREFIX="$run/prefix"
mkdir -p "$run/home"

# This shell is process 1, which signals do not end by themselves.
trap 'exit 1' INT TERM HUP
"$@"
