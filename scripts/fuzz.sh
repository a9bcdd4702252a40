#!/bin/sh
# Runs every fuzz target of the module for the time given (default 10s), one
# after the other: go test fuzzes a single target of a single package at once.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${1:-10s}

failed=
for pkg in $($go list ./...); do
	tests=$($go test -list '^Fuzz' "$pkg")
	for target in $(echo "$tests" | grep '^Fuzz' || true); do
		echo "== $pkg $target ($time)"
		$go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$pkg" || failed="$failed $pkg.$target"
	done
done
if [ -n "$failed" ]; then
	echo "fuzz targets that failed:$failed" >&2
	exit 1
fi
