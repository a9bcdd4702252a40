#!/bin/sh
# dist.sh VERSION DIR: makes of what "make build" has left in bin, or BIN, all that is
# released, in DIR: installers, packages, archives, the templates for Group Policy, the
# release notes and SHA256SUMS. The same source gives the same files, to the byte, but
# for signatures: with SIGN_CERT and SIGN_KEY (files, PEM) the programs for Windows and
# their installers are signed, with TIMESTAMP_URL countersigned, and verified against
# SIGN_CA (or SIGN_CERT itself, if that is its own) and TSA_CA. NFPM is the program of that name.
set -eu
cd "$(dirname "$0")/.."
version=$1 out=$2
bin=${BIN:-bin} go=${GO:-go} nfpm=${NFPM:-build/tools/nfpm}
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1767225600}" TZ=UTC LC_ALL=C.UTF-8
umask 022

fail() { echo "dist: $*" >&2; exit 1; }
[ -z "${SIGN_CERT:-}" ] || [ -n "${SIGN_KEY:-}" ] || fail "SIGN_CERT without SIGN_KEY"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
rm -rf "$out"
mkdir -p "$out"

# sign FILE: signs it, if it is to be, and makes sure that it is.
sign() {
	[ -n "${SIGN_CERT:-}" ] || return 0
	case $1 in *.msi) extended=-add-msi-dse ;; *) extended= ;; esac # as signtool does
	osslsigncode sign ${extended:+"$extended"} -certs "$SIGN_CERT" -key "$SIGN_KEY" -h sha256 -n PacketCache \
		-i https://github.com/packetcache/packetcache ${TIMESTAMP_URL:+-ts "$TIMESTAMP_URL"} \
		-in "$1" -out "$1.signed" >"$stage/log" 2>&1 || { cat "$stage/log" >&2; fail "$1 could not be signed"; }
	mv "$1.signed" "$1"
	scripts/verify-signature.sh "$1" >"$stage/log" 2>&1 || { cat "$stage/log" >&2; fail "the signature of $1 is not good"; }
}

# archive NAME: packs the directory NAME of the stage, as files of the date of the source.
archive() {
	find "$stage/$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
	case $1 in
	*linux*)
		tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -cf - "$1" | gzip -9n >"$out/$1.tar.gz"
		;;
	*)
		to=$(cd "$out" && pwd)/$1.zip
		(cd "$stage" && find "$1" -type f | sort | zip -9qX "$to" -@)
		;;
	esac
}

# What goes with the programs of every platform.
documents() { cp LICENSE README.md CHANGELOG.md "$1/"; }

for from in "$bin"/windows-*; do
	[ -d "$from" ] || fail "there is no $from: make build makes it"
	arch=${from##*-}
	name=packetcache-$version-windows-$arch
	mkdir "$stage/$name"
	cp "$from"/packetcache.exe "$from"/pcctl.exe "$from"/PacketCacheEvents.dll "$from"/THIRD-PARTY.txt scripts/*.ps1 eventlog/PacketCache.xml "$stage/$name/"
	documents "$stage/$name"
	for file in packetcache.exe pcctl.exe PacketCacheEvents.dll; do sign "$stage/$name/$file"; done
	case $arch in amd64) msi=x64 ;; *) msi=$arch ;; esac
	$go run ./installer/wix -arch "$arch" -version "$version" -programs "$stage/$name" -o "$out/packetcache-$version-$msi.msi"
	sign "$out/packetcache-$version-$msi.msi"
	archive "$name"
done

name=packetcache-$version-policy
mkdir "$stage/$name"
(cd installer/admx && cp --parents PacketCache.admx */PacketCache.adml "$stage/$name/")
archive "$name"

# A version of packages: 1.2.3-4-gabc is after 1.2.3, 1.2.3-rc.1 before it.
package=$(echo "$version" | sed -E 's/^([0-9.]+)-([0-9]+)-g/\1+\2.g/; s/-/~/g')
for from in "$bin"/linux-*; do
	[ -d "$from" ] || fail "there is no $from: make build makes it"
	arch=${from##*-}
	name=packetcache-$version-linux-$arch
	mkdir "$stage/$name"
	cp "$from"/packetcache "$from"/pcctl "$from"/THIRD-PARTY.txt installer/linux/packetcache.service "$stage/$name/"
	documents "$stage/$name"
	archive "$name"

	tree=$stage/rpm-$arch
	install -D -m 755 -t "$tree/usr/bin" "$from/packetcache" "$from/pcctl"
	install -D -m 644 -t "$tree/usr/lib/systemd/system" installer/linux/packetcache.service
	install -D -m 644 -t "$tree/usr/share/doc/packetcache" README.md "$from/THIRD-PARTY.txt" installer/linux/copyright
	gzip -9n <CHANGELOG.md >"$tree/usr/share/doc/packetcache/changelog.gz"
	completions=$tree/usr/share/bash-completion/completions
	mkdir -p "$completions"
	"$bin/linux-$($go env GOHOSTARCH)/pcctl" completion bash >"$completions/pcctl"
	for page in docs/*.[1-8]; do
		section=${page##*.}
		mkdir -p "$tree/usr/share/man/man$section"
		gzip -9n <"$page" >"$tree/usr/share/man/man$section/${page##*/}.gz"
	done

	cp -r "$tree" "$stage/deb-$arch"
	tree=$stage/deb-$arch
	install -D -m 644 installer/linux/lintian-overrides "$tree/usr/share/lintian/overrides/packetcache"
	{
		printf 'packetcache (%s-1) stable; urgency=medium\n\n  * Release %s: see changelog.gz.\n\n' "$package" "$version"
		printf ' -- The PacketCache authors <packetcache@users.noreply.github.com>  %s\n' "$(date -R -d "@$SOURCE_DATE_EPOCH")"
	} | gzip -9n >"$tree/usr/share/doc/packetcache/changelog.Debian.gz"

	for packager in deb rpm; do
		tree=$stage/$packager-$arch
		find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
		case $packager-$arch in
		deb-*) file=packetcache_$package-1_$arch.deb ;;
		rpm-amd64) file=packetcache-$package-1.x86_64.rpm ;;
		rpm-arm64) file=packetcache-$package-1.aarch64.rpm ;;
		esac
		ARCH=$arch PACKAGE_VERSION=$package STAGE=$tree "$nfpm" package --config installer/linux/nfpm.yaml --packager "$packager" \
			--target "$out/$file" >"$stage/log" 2>&1 || { cat "$stage/log" >&2; fail "$file could not be made"; }
	done
done

# The section of this version, or of what is not yet released.
notes() { awk -v section="## [$1]" 'index($0, section) == 1 { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md; }
notes "$version" >"$out/RELEASE_NOTES.md"
[ -s "$out/RELEASE_NOTES.md" ] || notes Unreleased >"$out/RELEASE_NOTES.md"
[ -s "$out/RELEASE_NOTES.md" ] || fail "CHANGELOG.md has nothing about $version"

(cd "$out" && sha256sum -- packetcache* RELEASE_NOTES.md >SHA256SUMS && sha256sum --quiet -c SHA256SUMS)
