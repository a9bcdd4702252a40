#!/bin/sh
# Checks the code against the Go vulnerability database, for linux and windows.
# The database is on the network, or where GOVULNDB points (https://... or
# file:///...). Without GOVULNDB and out of its reach the check is not run, and
# this says so instead of failing. The argument is the path of govulncheck.
set -eu
cd "$(dirname "$0")/.."
govulncheck=${1:?path of govulncheck}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for goos in linux windows; do
	status=0
	GOOS=$goos "$govulncheck" ${GOVULNDB:+-db "$GOVULNDB"} ./... >"$out" 2>&1 || status=$?
	if [ "$status" = 1 ] && [ -z "${GOVULNDB:-}" ] && grep -q 'fetching vulnerabilities' "$out"; then
		echo "govulncheck: NOT RUN: the vulnerability database cannot be reached from here:"
		sed 's/^/    /' "$out"
		echo "    set GOVULNDB to a copy to run it"
		exit 0
	fi
	cat "$out"
	[ "$status" = 0 ] || exit "$status"
done
