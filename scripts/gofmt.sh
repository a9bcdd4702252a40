#!/bin/sh
# Fails and lists the Go files that gofmt would change.
set -eu
cd "$(dirname "$0")/.."

unformatted=$(gofmt -l cmd internal installer)
if [ -n "$unformatted" ]; then
	echo "not formatted; run gofmt -w on:" >&2
	echo "$unformatted" >&2
	exit 1
fi
