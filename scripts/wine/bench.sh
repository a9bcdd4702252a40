#!/bin/sh
# bench.sh COMMAND...: runs a command within which wine.sh runs Windows programs,
# and leaves nothing behind. Their network is a veth with the ends wine0 and
# wine1, and nothing else.
#   scripts/wine/bench.sh scripts/wine/wine.sh cmd /c ver
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${PACKETCACHE_WINE_INSIDE:-}" ]; then
	dir=$("$here/setup.sh")
	run=$(mktemp -d "${dir%/*}/run-XXXXXX")
	trap 'rm -rf "$run"' EXIT
	exec 8>"$run/lock"
	flock 8 # setup.sh removes what nobody holds
	status=0
	"$here/enter.sh" "$dir" "$run" "$here/bench.sh" "$@" || status=$?
	exit "$status"
fi
ip netns add wine
ip -n wine link set lo up
ip -n wine link add wine0 type veth peer name wine1
ip -n wine addr add 10.98.0.1/24 dev wine0
ip -n wine link set wine0 up
ip -n wine link set wine1 up
export PACKETCACHE_WINE_NETNS=wine
export PACKETCACHE_TEST_INTERFACE=wine0 # for tests of live capture
"$here/prefix.sh" "$PACKETCACHE_WINE_INSIDE"
mkdir "$PACKETCACHE_WINE_INSIDE/tmp"
export GOTMPDIR="$PACKETCACHE_WINE_INSIDE/tmp"
"$@"
