#!/bin/sh
# image.sh DIR - `make image`: DIR/sluice-VERSION-ARCH.oci.tar, an OCI image FROM scratch that holds the binary, the libraries that it
# needs, and its configuration, and DIR/sluice-VERSION-ARCH.spdx.json, the list of what it is made of. The same bytes for the same commit
# and packages. No registry is asked. https://github.com/opencontainers/image-spec
#
# image.sh --root DIR: the files of the image alone, in DIR.
# ARCH, TRIPLET, CC, PKG_CONFIG: of another architecture, whose libraries lie in /usr/lib/TRIPLET.
set -eu
umask 022
cd "$(dirname "$0")/../.."
here=$PWD version=$(mk/pack/version.sh)
SOURCE_DATE_EPOCH=$(mk/pack/version.sh --epoch)
export SOURCE_DATE_EPOCH
arch=${ARCH:-$(dpkg --print-architecture)} triplet=${TRIPLET:-$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)}
fail() { echo "make image: $1" >&2; exit 1; }
name=sluice-$version-$arch root_only=
if [ "$1" = --root ]; then
    root_only=1
    root=$2 dir=build/image-root
else
    command -v umoci >/dev/null || fail "umoci is missing: make image-deps"
    root=$1/root dir=$1
fi
rm -rf "$root" "$dir/oci" "$dir/$name".*
mkdir -p "$root" "$dir"
root=$(cd "$root" && pwd) dir=$(cd "$dir" && pwd)

# ---- the binary ----

# Without debug information: where it is built does not show in it.
objects=build/image-objects/$arch
"${MAKE:-make}" O="$objects" PREFIX=/usr SYSCONFDIR=/etc LOCALSTATEDIR=/var LTO="${LTO:-1}" CFLAGS=-g0 LDFLAGS=-g0 "$objects/sluice"
install -D -m 755 "$objects/sluice" "$root/usr/sbin/sluice"
"${STRIP:-strip}" --strip-all "$root/usr/sbin/sluice"

# ---- its libraries ----

# The file of a library, or of the loader, which is named by its path.
library()
{
    case $1 in /*) echo "$1"; return ;; esac
    for d in "/usr/lib/$triplet" "/lib/$triplet"; do
        [ ! -e "$d/$1" ] || { echo "$d/$1"; return; }
    done
    fail "$1 is not in /usr/lib/$triplet"
}

# Those of FILE and of its libraries, one a line.
needs()
{
    readelf -lW "$1" | sed -n 's/.*program interpreter: \(.*\)]/\1/p'
    readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

pending="$(needs "$root/usr/sbin/sluice")" found=
while [ -n "$pending" ]; do
    next=
    for lib in $pending; do
        case " $found " in *" $lib "* | *"/$lib "*) continue ;; esac
        found="$found $lib"
        next="$next $(needs "$(library "$lib")")"
    done
    pending=$(echo $next)
done
: >"$dir/libraries"
for lib in $found; do
    from=$(library "$lib")
    to=$root/usr/lib/$triplet/$lib
    case $lib in /*) to=$root$lib ;; esac
    install -D -m 755 "$(readlink -f "$from")" "$to"
    printf '%s\n' "$(readlink -f "$from")" >>"$dir/libraries"
done
mk/image/packages.sh "$arch" <"$dir/libraries" >"$dir/packages"

# ---- its files ----

install -d "$root/etc/sluice/conf.d" "$root/srv" "$root/run" "$root/proc" "$root/sys" "$root/dev" "$root/var/log/sluice"
install -m 644 conf/container/sluice.conf conf/mime.types "$root/etc/sluice/"
install -m 644 conf/container/conf.d/default.conf "$root/etc/sluice/conf.d/"
echo 'nobody:x:65532:65532::/:/usr/sbin/sluice' >"$root/etc/passwd"
# For configurations that name these, or none.
ln -s /dev/stdout "$root/var/log/sluice/access.log"
ln -s /dev/stderr "$root/var/log/sluice/error.log"
ln -s /dev/null "$root/run/sluice.pid"

# What the licences ask to be told.
install -D -m 644 debian/copyright "$root/usr/share/doc/sluice/copyright"
while read -r package rest; do
    [ "$package" != llhttp ] && [ "$package" != sluice ] || continue
    install -D -m 644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done <"$dir/packages"
cat "$root"/usr/share/doc/*/copyright | grep -o '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' | sort -u |
    while read -r licence; do
        [ ! -e "$licence" ] || install -D -m 644 "$(readlink -f "$licence")" "$root$licence"
    done

[ -z "$root_only" ] || exit 0

# ---- the image ----

created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=go-w \
    -C "$root" --file "$dir/layer.tar" $(ls "$root")
umoci init --layout "$dir/oci"
umoci new --image "$dir/oci:$version"
umoci raw add-layer --image "$dir/oci:$version" --history.created="$created" --history.created_by="make image" "$dir/layer.tar"
label() { printf '%s\n' "--config.label=org.opencontainers.image.$1=$2"; }
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
umoci config --image "$dir/oci:$version" --no-history --created="$created" --architecture="$arch" --os=linux \
    --config.user=65532:65532 --config.exposedports=8080/tcp --config.stopsignal=SIGQUIT --config.workingdir=/ \
    --config.env=PATH=/usr/sbin:/usr/bin --config.entrypoint=/usr/sbin/sluice --config.entrypoint=-c \
    --config.entrypoint=/etc/sluice/sluice.conf \
    "$(label title sluice)" "$(label description 'A static-file HTTP server')" "$(label version "$version")" \
    "$(label licenses MIT)" "$(label created "$created")" "$(label revision "$revision")"
umoci gc --layout "$dir/oci"
# What `podman load` and `docker load` call it.
sed -i "s|\"org.opencontainers.image.ref.name\":\"$version\"|\"io.containerd.image.name\":\"docker.io/library/sluice:$version\",\"org.opencontainers.image.ref.name\":\"sluice:$version\"|" \
    "$dir/oci/index.json"
digest=$(sed -n 's/.*"digest":"sha256:\([0-9a-f]*\)".*/\1/p' "$dir/oci/index.json")
mk/image/sbom.sh "$name" "$version" "$arch" "$digest" "$created" <"$dir/packages" >"$dir/$name.spdx.json"
tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=u=rwX,go=rX -C "$dir/oci" \
    --file "$dir/$name.oci.tar" blobs index.json oci-layout
rm -rf "$dir/oci" "$dir/layer.tar" "$dir/libraries" "$dir/packages" "$root"
echo "  OCI  ${dir#"$here/"}/$name.oci.tar ($(($(wc -c <"$dir/$name.oci.tar") / 1024)) KiB, sha256:$digest)"
echo "  SPDX ${dir#"$here/"}/$name.spdx.json"
