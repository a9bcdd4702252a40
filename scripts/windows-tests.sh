#!/bin/sh
# Builds the tests of every package for Windows, so that they cannot rot, as
# build/windows-tests/<package>.test.exe. What is to run them, on a Windows
# machine or under Wine, is started here; each runs in its package's directory.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
out=$PWD/build/windows-tests
export GOOS=windows GOARCH=amd64 CGO_ENABLED=0

rm -rf "$out"
$go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r package; do
	name=${package#github.com/packetcache/packetcache/}
	mkdir -p "$out/$(dirname "$name")"
	$go test -c -o "$out/$name.test.exe" "$package"
done
