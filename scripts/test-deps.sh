#!/bin/sh
# Installs what the tests compare PacketCache with, on Debian and Ubuntu, and
# only what is missing. Elsewhere it says what to install by hand.
set -eu

# command package
deps="
tcpdump          tcpdump
tshark           tshark
capinfos         wireshark-common
ip               iproute2
ping             iputils-ping
iperf3           iperf3
ethtool          ethtool
zstd             zstd
age              age
ps               procps
readelf          binutils
systemd-analyze  systemd
git              git
gcc              gcc
unshare          util-linux
flock            util-linux
ssh              openssh-client
sshd             openssh-server
zsh              zsh
node             nodejs
npm              npm
wixl             wixl
msibuild         msitools
zip              zip
osslsigncode     osslsigncode
openssl          openssl
lintian          lintian
rpm              rpm
"

missing=
while read -r command package; do
	[ -z "$command" ] && continue
	# Debian keeps some of them where only root's PATH looks.
	PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || missing="$missing $package"
done <<EOF
$deps
EOF
# The race detector links against the C library: a compiler without its
# headers is not enough.
[ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"
# For the tests of the Windows build.
wine=
if [ "$(uname -m)" = x86_64 ] && ! command -v mmdebstrap >/dev/null && ! wine --version 2>/dev/null | grep -q '^wine-[1-9][0-9]'; then
	wine=" Wine"
fi

# The grammar that PowerShell scripts are read with.
grammar() {
	here=$(cd "$(dirname "$0")/.." && pwd)
	to=$here/build/tools/powershell
	cmp -s "$here/.ci/powershell/package-lock.json" "$to/installed" && return
	mkdir -p "$to"
	for file in package.json package-lock.json .npmrc; do cp "$here/.ci/powershell/$file" "$to/"; done
	(cd "$to" && npm ci --silent)
	cp "$to/package-lock.json" "$to/installed"
}
if [ -z "$missing$wine" ]; then
	grammar
	exit 0
fi

sudo=
if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
if ! command -v apt-get >/dev/null || { [ -n "$sudo" ] && ! command -v sudo >/dev/null; }; then
	echo "tests need these Debian packages, or what your system calls them:$missing$wine" >&2
	echo "install them as root, then run make test again" >&2
	exit 1
fi

# apt unpacks into TMPDIR; a directory of its own cannot meet a full or
# noexec /tmp left by others, and is gone afterwards.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
log=$tmp/log
echo "installing for the tests:$missing$wine"
get() {
	if ! $sudo env TMPDIR="$tmp" DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		echo "apt-get $* failed: see above" >&2
		exit 1
	fi
}
get update
if [ -n "$wine" ]; then
	# Wine 10 where apt has it, elsewhere what scripts/wine/setup.sh fetches
	# Debian's with.
	case $(apt-cache policy wine | sed -n 's/^ *Candidate: //p') in
	[1-9][0-9].*) missing="$missing wine wine64" ;;
	*) missing="$missing mmdebstrap" ;;
	esac
fi
# shellcheck disable=SC2086 # several packages
get install -y --no-install-recommends $missing
case $missing in
*openssh-server*)
	# The tests run an sshd of their own; that of the machine nobody asked for.
	$sudo systemctl disable --now ssh.service ssh.socket >/dev/null 2>&1 || true
	;;
esac
grammar
