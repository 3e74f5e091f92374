#!/bin/sh
# images.sh FILE TO - writes two OCI image layouts without any program that knows of them: TO/team/app, whose v1 is an image of one layer
# that holds FILE, and TO/team/multi, whose v1 is an index of two such images for two platforms, with a signature of sorts of the index.
set -eu
umask 022
file=$(realpath "$1")
mkdir -p "$2"
cd "$2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
v=application/vnd.oci.image

# put LAYOUT FILE - the file becomes a blob; prints the digest and size of a descriptor.
put()
{
    hash=$(sha256sum <"$2" | cut -d' ' -f1)
    mkdir -p "$1/blobs/sha256"
    cp "$2" "$1/blobs/sha256/$hash"
    printf '"digest":"sha256:%s","size":%s' "$hash" "$(stat -c %s "$2")"
}

# image LAYOUT ARCHITECTURE - the same of its manifest.
image()
{
    mkdir -p "$work/root"
    cp "$file" "$work/root/"
    echo "$2" >"$work/root/arch"
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/tar" -C "$work/root" .
    gzip -nkf "$work/tar"
    printf '{"architecture":"%s","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$2" "$(sha256sum <"$work/tar" | cut -d' ' -f1)" >"$work/config"
    printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s",%s},"layers":[{"mediaType":"%s",%s}]}' \
        $v.manifest.v1+json $v.config.v1+json "$(put "$1" "$work/config")" \
        $v.layer.v1.tar+gzip "$(put "$1" "$work/tar.gz")" >"$work/manifest"
    put "$1" "$work/manifest"
}

# index TYPE-DIGEST-AND-SIZE.. - one that names them.
index() { printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' $v.index.v1+json "$1"; }
entry() { printf '{"mediaType":"%s",%s,%s}' "$v.$1.v1+json" "$2" "$3"; }
named='"annotations":{"org.opencontainers.image.ref.name":"v1"}'

# layout FOLDER ENTRIES
layout()
{
    printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
    index "$2" >"$1/index.json"
}

app=$(image team/app amd64)
layout team/app "$(entry manifest "$app" "$named")"

amd=$(entry manifest "$(image team/multi amd64)" '"platform":{"architecture":"amd64","os":"linux"}')
arm=$(entry manifest "$(image team/multi arm64)" '"platform":{"architecture":"arm64","os":"linux"}')
index "$amd,$arm" >"$work/both"
both=$(put team/multi "$work/both")
echo '{}' >"$work/empty"
printf '{"schemaVersion":2,"mediaType":"%s","artifactType":"application/x-signature","config":{"mediaType":"%s",%s},"layers":[],"subject":{"mediaType":"%s",%s}}' \
    $v.manifest.v1+json application/vnd.oci.empty.v1+json "$(put team/multi "$work/empty")" $v.index.v1+json "$both" >"$work/signature"
signature=$(entry manifest "$(put team/multi "$work/signature")" '"annotations":{}')
layout team/multi "$(entry index "$both" "$named"),$signature"
