#!/bin/sh
# packages.sh ARCH - of the libraries whose files are read, one a line, what they come from: package, version, source, its version.
# First sluice itself, and llhttp where it is compiled in. Of Debian's packages.
set -eu
cd "$(dirname "$0")/../.."
version=$(mk/pack/version.sh)
fail() { echo "make image: $1" >&2; exit 1; }
command -v dpkg-query >/dev/null || fail "this takes a system of Debian's packages: the list of contents names them"
echo "sluice $version sluice $version"
if [ -s build/llhttp/llhttp.h ] && ! pkg-config --exists libllhttp; then
    sed -n 's/#define LLHTTP_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' build/llhttp/llhttp.h | paste -sd. | {
        read -r v
        echo "llhttp $v $(sed 's/ (= / /; s/)//' build/llhttp/package)"
    }
fi
while read -r file; do
    # Where /lib is a link to /usr/lib, dpkg may know either name.
    package=$(dpkg-query -S "$file" 2>/dev/null || dpkg-query -S "${file#/usr}" 2>/dev/null || fail "no package has $file")
    package=${package%%:*}
    dpkg-query -W -f='${Package} ${Version} ${source:Package} ${source:Version}\n' "$package:$1"
done | LC_ALL=C sort -u
