#!/bin/sh
# dist.sh DIR KEY - `make dist`: sluice-VERSION.tar.gz of what is committed, the same bytes for the same commit; its hash beside it,
# and where a KEY is given, its signature.
set -eu
cd "$(dirname "$0")/../.."
dir=$1 key=$2 version=$(mk/pack/version.sh)
name=sluice-$version.tar.gz
fail() { echo "make dist: $1" >&2; exit 1; }
git rev-parse --show-toplevel 2>/dev/null | grep -qxF "$PWD" || fail "this is not a clone: a tarball is made of what git has"
git diff --quiet HEAD -- || echo "make dist: changes that are not committed are not in it" >&2
mkdir -p "$dir"
# tar.umask, and no attributes but those of the tree: what a machine has set up does not count.
git -c tar.umask=0022 archive --format=tar --prefix="sluice-$version/" HEAD | gzip -9 -n >"$dir/$name.new"
mv "$dir/$name.new" "$dir/$name"
cd "$dir"
sha256sum "$name" >"$name.sha256"
rm -f "$name.asc"
if [ -n "$key" ]; then
    gpg --batch --yes --local-user "$key" --armor --detach-sign --output "$name.asc" "$name" || fail "gpg could not sign with $key"
fi
for f in "$name"*; do
    echo "  DIST $dir/$f"
done
