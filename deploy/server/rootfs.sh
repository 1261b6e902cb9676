#!/usr/bin/env bash
# Makes the file system of the image: the native binary, the system libraries that it uses, certificates, and the user 10001.
# Usage: rootfs.sh NATIVE-FOLDER ROOT-FOLDER. Runs as root on Debian 12, in deploy/server/Dockerfile and in the tests.
set -euo pipefail
native=$1 root=$2

mkdir -p "$root"/{etc/ssl/certs,usr/bin,usr/lib/dunlin,var/lib/dunlin}
mkdir -m 1777 "$root/tmp"
cp "$native/dunlin" "$native"/*.so "$root/usr/lib/dunlin/"
chmod 0755 "$root/usr/lib/dunlin/dunlin"
ln -s ../lib/dunlin/dunlin "$root/usr/bin/dunlin"

# .NET loads OpenSSL at run time, for TLS to PostgreSQL, Redis and identity providers.
triple=$(uname -m)-linux-gnu
openssl=("/usr/lib/$triple/libssl.so.3" "/usr/lib/$triple/libcrypto.so.3")
libraries=$(ldd "$root/usr/lib/dunlin/dunlin" "$root"/usr/lib/dunlin/*.so "${openssl[@]}" | grep -oE '/(usr/)?lib[^ ]+' | grep -v "^$root" | grep -v ':$' | sort -u)
for library in $libraries "${openssl[@]}"; do
  mkdir -p "$root$(dirname "$library")"
  cp --dereference "$library" "$root$library"
done

cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo "dunlin:x:10001:10001::/var/lib/dunlin:/usr/sbin/nologin" > "$root/etc/passwd"
echo "dunlin:x:10001:" > "$root/etc/group"
echo "hosts: files dns" > "$root/etc/nsswitch.conf"
chown 10001:10001 "$root/var/lib/dunlin"
