#!/bin/sh
# Runs the tests of the Windows build under Wine, which it sets up itself (see
# docs/testing.md): those of each package, and those of internal/endtoend that
# drive the programs. With arguments, which are those of go test, it runs only
# what they say of the former:
#   scripts/windows-tests.sh -run TestPipe -v ./internal/ipc
# Needs root and an amd64 Linux. Without them it says so and does nothing, and
# fails if CI=true.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}

if [ -z "${PACKETCACHE_WINE:-}" ]; then
	why=
	[ "$(uname -sm)" = "Linux x86_64" ] || why="they need Linux on amd64"
	[ -n "$why" ] || [ "$(id -u)" = 0 ] || why="they need root"
	[ -n "$why" ] || unshare --mount --pid --fork true 2>/dev/null || why="they need namespaces, which this container does not permit"
	if [ -n "$why" ]; then
		echo "the tests for Windows are NOT RUN: $why" >&2
		[ "${CI:-}" != true ]
		exit
	fi
	exec timeout --kill-after 10 1500 setpriv --pdeathsig KILL scripts/wine/bench.sh "$0" "$@"
fi

windows() { GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $go test -count=1 -timeout 5m -exec "$PWD/scripts/wine/wine.sh" "$@"; }
if [ $# -gt 0 ]; then
	windows "$@"
	exit
fi
failed=
windows ./... || failed=1
$go test -count=1 -timeout 10m -run '^TestWindows' ./internal/endtoend || failed=1
[ -z "$failed" ]
