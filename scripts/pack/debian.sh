#!/usr/bin/env bash
# Makes the Debian package from a native binary.
# Usage: debian.sh NATIVE-FOLDER RUNTIME VERSION OUTPUT-FOLDER WORK-FOLDER. SOURCE_DATE_EPOCH is the time of all files.
set -euo pipefail
native=$1 runtime=$2 version=$3 out=$4 root=$5/debian
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

case $runtime in
  linux-x64) architecture=amd64 ;;
  linux-arm64) architecture=arm64 ;;
  *) echo "A Debian package needs a binary for linux-x64 or linux-arm64, not '$runtime'." >&2; exit 1 ;;
esac
command -v strip > /dev/null && command -v objdump > /dev/null || { echo "strip and objdump are missing. Install the package binutils." >&2; exit 1; }
command -v dpkg-deb > /dev/null || { echo "dpkg-deb is missing. Install the package dpkg." >&2; exit 1; }

rm -rf "$root"
install -d "$root"/{DEBIAN,etc/dunlin,lib/systemd/system,usr/bin,usr/lib/dunlin,usr/share/doc/dunlin,usr/share/lintian/overrides,usr/share/man/man1}
completions=(usr/share/bash-completion/completions/dunlin usr/share/zsh/vendor-completions/_dunlin usr/share/fish/vendor_completions.d/dunlin.fish)
cp -R "$native"/. "$root/usr/lib/dunlin"
find "$root/usr/lib/dunlin" \( -name '*.dbg' -o -name '*.pdb' -o -name '*.xml' \) -delete
ln -s ../lib/dunlin/dunlin "$root/usr/bin/dunlin"
install -m 0644 deploy/dunlin.service "$root/lib/systemd/system/dunlin.service"
install -m 0644 deploy/debian/dunlin.json "$root/etc/dunlin/dunlin.json"
install -m 0644 deploy/debian/lintian-overrides "$root/usr/share/lintian/overrides/dunlin"
sed "s/@VERSION@/$version/" deploy/debian/dunlin.1 | gzip -9n > "$root/usr/share/man/man1/dunlin.1.gz"
shells=(bash zsh fish)
for i in "${!shells[@]}"; do
  install -d "$root/$(dirname "${completions[i]}")"
  "$native/dunlin" completion "${shells[i]}" > "$root/${completions[i]}"
done
gzip -9nc CHANGELOG.md > "$root/usr/share/doc/dunlin/CHANGELOG.md.gz"
{
  printf 'dunlin (%s) stable; urgency=medium\n\n  * Changes: CHANGELOG.md.gz in this folder.\n\n' "$version"
  printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' deploy/debian/control)" "$(LC_ALL=C date -u -R --date="@$SOURCE_DATE_EPOCH")"
} | gzip -9n > "$root/usr/share/doc/dunlin/changelog.gz"
{
  echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
  printf 'Upstream-Name: dunlin\n\nFiles: *\n%s\nLicense: MIT\n' "$(sed -n 's/^Copyright (c) /Copyright: /p' LICENSE)"
  sed -n '/^Permission/,$p' LICENSE | sed 's/^$/./; s/^/ /'
} > "$root/usr/share/doc/dunlin/copyright"

find "$root" -type d -exec chmod 0755 {} +
find "$root/usr" "$root/etc" "$root/lib" -type f -exec chmod 0644 {} +
chmod 0755 "$root/usr/lib/dunlin/dunlin"
for script in postinst prerm postrm; do install -m 0755 "deploy/debian/$script" "$root/DEBIAN/$script"; done
echo /etc/dunlin/dunlin.json > "$root/DEBIAN/conffiles"

strip --strip-unneeded "$root"/usr/lib/dunlin/*.so

# The oldest C library that has all symbols. The binary links the C++ runtime and zlib of the system, or contains them.
depends=''
needed=$(objdump -p "$root/usr/lib/dunlin/dunlin" "$root"/usr/lib/dunlin/*.so 2> /dev/null | sed -nE 's/^ +NEEDED +//p' | sort -u)
grep -q '^libgcc_s' <<< "$needed" && depends+='libgcc-s1, '
grep -q '^libstdc++' <<< "$needed" && depends+='libstdc++6, '
grep -q '^libz\.' <<< "$needed" && depends+='zlib1g, '
libc=$(objdump -T "$root/usr/lib/dunlin/dunlin" "$root"/usr/lib/dunlin/*.so | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -n 1)
sed -e "s/@LIBC@/${libc#GLIBC_}/" -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@DEPENDS@/$depends/" \
  -e "s/@SIZE@/$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)/" deploy/debian/control > "$root/DEBIAN/control"
(cd "$root" && find etc lib usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums)

find "$root" -print0 | xargs -0 touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
rm -f "$out"/dunlin_*_"$architecture".deb
dpkg-deb --root-owner-group -Zxz -z4 --build "$root" "$out/dunlin_${version}_$architecture.deb"
