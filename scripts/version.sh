#!/bin/sh
# Prints the version that a build of this checkout bears, as a semantic
# version without the leading v (https://semver.org): 1.2.3 on the tag v1.2.3,
# 1.2.3-4-gabc1234 four commits later, 0.0.0-dev+abc1234 where no tag is in
# reach, and a last .dirty (or +dirty) when files are changed.
set -eu
cd "$(dirname "$0")/.."

if tag=$(git describe --tags --match 'v[0-9]*' --dirty=+dirty 2>/dev/null); then
	echo "${tag#v}"
elif commit=$(git rev-parse --short=12 HEAD 2>/dev/null); then
	if git diff --quiet HEAD -- 2>/dev/null; then dirty=; else dirty=.dirty; fi
	echo "0.0.0-dev+$commit$dirty"
else
	echo "0.0.0-dev" # a source archive without git
fi
