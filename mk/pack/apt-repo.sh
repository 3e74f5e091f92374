#!/bin/bash
# apt-repo.sh DIR DEBS KEY - `make apt-repo`: an APT repository in DIR of the packages in DEBS and those that are in DIR already, which
# any HTTP server can serve as files. KEY, an ID or address that gpg knows, signs it. Clients of before find their indexes by hash for 30 days.
set -euo pipefail
dir=$1 debs=$2 key=$3
suite=stable component=main
fail() { echo "make apt-repo: $1" >&2; exit 1; }
command -v apt-ftparchive >/dev/null || fail "apt-ftparchive is missing: apt-get install apt-utils"
[[ -z $key ]] || command -v gpg >/dev/null || fail "gpg is missing: apt-get install gpg"
compgen -G "$debs/*.deb" >/dev/null || fail "no package is in $debs: make deb"

pool=$dir/pool/$component
mkdir -p "$pool" "$dir/dists/$suite"
# A version that has been published stays as it is: clients have its hash.
for f in "$debs"/*.deb; do
    to=$pool/${f##*/}
    if [[ -e $to ]]; then
        cmp -s "$f" "$to" || fail "${f##*/} is published with other bytes: give it another version, or remove $to"
    else
        cp -p "$f" "$to.new"
        chmod 644 "$to.new"
        mv "$to.new" "$to"
    fi
done
cd "$dir"
architectures=$(for f in pool/"$component"/*.deb; do dpkg-deb -f "$f" Architecture; done | grep -vx all | sort -u)
dist=dists/$suite

# by_hash FILE: a copy under its hash, for clients that have read a Release of before, or of the next moment.
by_hash()
{
    local at=${1%/*}/by-hash/SHA256
    mkdir -p "$at"
    cp "$1" "$at/$(sha256sum <"$1" | cut -d' ' -f1)"
    find "$at" -type f -mtime +30 -delete
}
# replace FILE: by FILE.new; the same bytes keep their time, and so their validators.
replace()
{
    if cmp -s "$1.new" "$1" 2>/dev/null; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

for a in $architectures; do
    at=$dist/$component/binary-$a
    mkdir -p "$at"
    apt-ftparchive --arch "$a" packages "pool/$component" >"$at/Packages.new"
    gzip -9 -n <"$at/Packages.new" >"$at/Packages.gz.new"
    for f in Packages Packages.gz; do
        replace "$at/$f"
        by_hash "$at/$f"
    done
done
# Release comes last: what it names is there.
release=$(mktemp)
trap 'rm -f "$release" "$release".*' EXIT
apt-ftparchive -o APT::FTPArchive::Release::Origin=sluice -o APT::FTPArchive::Release::Label=sluice \
    -o APT::FTPArchive::Release::Suite=$suite -o APT::FTPArchive::Release::Codename=$suite \
    -o APT::FTPArchive::Release::Architectures="${architectures//$'\n'/ }" -o APT::FTPArchive::Release::Components=$component \
    -o APT::FTPArchive::Release::Acquire-By-Hash=yes -o APT::FTPArchive::Release::Patterns::='Packages*' \
    -o APT::FTPArchive::MD5=no -o APT::FTPArchive::SHA1=no -o APT::FTPArchive::SHA512=no release "$dist" >"$release"
if [[ -n $key ]]; then
    gpg --batch --yes --local-user "$key" --clearsign --output "$release.in" "$release" || fail "gpg could not sign with $key"
    gpg --batch --yes --local-user "$key" --armor --detach-sign --output "$release.gpg" "$release"
    gpg --batch --yes --armor --export "$key" >"$release.asc"
    install -m 644 "$release.asc" sluice.asc
    signed='Signed-By: /etc/apt/keyrings/sluice.asc'
fi
install_last() { install -m 644 "$1" "$2.new" && mv "$2.new" "$2"; }
rm -f "$dist/Release.gpg"
install_last "$release" "$dist/Release"
if [[ -n $key ]]; then
    install_last "$release.gpg" "$dist/Release.gpg"
    install_last "$release.in" "$dist/InRelease"
else
    rm -f "$dist/InRelease"
    signed='Trusted: yes'
fi
printf '%s\n' 'Types: deb' 'URIs: https://example.org/' "Suites: $suite" "Components: $component" "$signed" >sluice.sources.example
for f in "$dist"/*Release "$pool"/*.deb; do
    echo "  APT  ${f#"$OLDPWD/"}"
done
