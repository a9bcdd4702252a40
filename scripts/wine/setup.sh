#!/bin/sh
# Prepares what runs Windows programs here and prints its directory, which has
#   root        the file system with Wine 10 or later: this machine's, or that
#               of Debian 13 where this machine has no such Wine
#   prefix      what Wine calls a prefix, a fresh Windows to make copies of
#   preload.so  see preload.c
# All lies in $XDG_CACHE_HOME/packetcache/wine (~/.cache/packetcache/wine), is
# made once and anew when these scripts change, and can be removed at any time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/packetcache/wine
suite=trixie
packages=wine64,libpcap0.8t64

fail() { echo "$@" >&2; exit 1; }

# Two runs at once wait for each other. What is not finished has another name.
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
new=$cache/new
rm -rf "$new"

wine_of_this_machine() {
	command -v wine >/dev/null && WINEDEBUG=-all wine --version | grep -q '^wine-[1-9][0-9]'
}

make_system() {
	command -v mmdebstrap >/dev/null || fail "this needs Wine 10, or mmdebstrap to fetch Debian's: scripts/test-deps.sh installs one of them"
	mirror=${PACKETCACHE_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk '$1 == "Debian" && $2 == "main" && $3 !~ /security/ { print $3; exit }')}
	[ -n "$mirror" ] || fail "apt knows no mirror of Debian, from which to fetch Wine 10: name one in PACKETCACHE_DEBIAN_MIRROR"
	echo "fetching Debian $suite with Wine from $mirror, 1 GB" >&2
	mkdir "$new"
	apt-config dump | grep '^Acquire::' >"$new/apt.conf" || true # proxies and the like
	TMPDIR=$new timeout 900 mmdebstrap --mode=root --variant=essential --include="$packages" \
		--aptopt="$new/apt.conf" --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/lib/*/wine/i386-windows/*' \
		"$suite" "$new/root" "$mirror" >"$new/log" 2>&1 </dev/null ||
		{ cat "$new/log" >&2; fail "Debian $suite could not be fetched: see above"; }
	mv "$new" "$system"
}

make_prefix() {
	echo "making a Wine prefix" >&2
	mkdir "$new"
	ln -s "$root" "$new/root"
	cc -shared -fPIC -O2 -Wall -o "$new/preload.so" "$here/preload.c" -ldl -lpthread
	"$here/enter.sh" "$new" "$new" "$here/first-boot.sh" >"$new/log" 2>&1 </dev/null ||
		{ cat "$new/log" >&2; fail "the Wine prefix could not be made: see above"; }
	mv "$new" "$prefix"
}

if wine_of_this_machine; then
	root=/
else
	system=$cache/system-$(echo "$suite $packages" | sha256sum | cut -c1-12)
	root=$system/root
	[ -d "$system" ] || make_system
	touch "$system"
fi
prefix=$cache/prefix-$( (echo "$root"; cat "$here/setup.sh" "$here/first-boot.sh" "$here/preload.c") | sha256sum | cut -c1-12)
[ -d "$prefix" ] || make_prefix
touch "$prefix"

# What no checkout has used for three days, and what killed runs have left.
find "$cache" -mindepth 1 -maxdepth 1 \( -name 'system-*' -o -name 'prefix-*' \) -mtime +3 -exec rm -rf {} +
for run in "$cache"/run-*; do
	if [ -d "$run" ] && flock -n "$run/lock" true; then rm -rf "$run"; fi
done
echo "$prefix"
