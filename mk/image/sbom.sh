#!/bin/sh
# sbom.sh NAME VERSION ARCH DIGEST CREATED - an SPDX document of the image NAME, from what packages.sh has listed.
# https://spdx.github.io/spdx-spec/v2.3/
set -eu
awk -v name="$1" -v version="$2" -v arch="$3" -v digest="$4" -v created="$5" '
BEGIN {
    # By source package. What others choose from is theirs to choose.
    licences["sluice"] = licences["nghttp2"] = licences["llhttp"] = licences["brotli"] = licences["jansson"] = "MIT"
    licences["libevent"] = licences["pcre2"] = "BSD-3-Clause"
    licences["liburing"] = "LGPL-2.1-or-later OR MIT"
    licences["libaio"] = licences["libxcrypt"] = licences["qrencode"] = licences["glibc"] = "LGPL-2.1-or-later"
    licences["openssl"] = "Apache-2.0"
    licences["zlib"] = "Zlib"
    licences["libzstd"] = "BSD-3-Clause OR GPL-2.0-only"
    printf "{\n  \"spdxVersion\": \"SPDX-2.3\",\n  \"dataLicense\": \"CC0-1.0\",\n  \"SPDXID\": \"SPDXRef-DOCUMENT\",\n"
    printf "  \"name\": \"%s\",\n  \"documentNamespace\": \"https://spdx.org/spdxdocs/%s-%s\",\n", name, name, digest
    printf "  \"creationInfo\": {\"created\": \"%s\", \"creators\": [\"Tool: make image of sluice-%s\"]},\n", created, version
    printf "  \"packages\": [\n"
    part("image", "sluice-image", version, "", "CONTAINER", "pkg:oci/sluice@sha256%3A" digest "?arch=" arch)
    relations = relation("DOCUMENT", "DESCRIBES", "image")
}
{
    id = $1 == "sluice" ? "sluice" : "lib-" $1
    gsub(/[^A-Za-z0-9.-]/, "-", id)
    source = $1 == "llhttp" ? "llhttp" : $3
    ours = $1 == "sluice" || $1 == "llhttp"
    printf ",\n"
    part(id, $1, $2, licences[source], $1 == "sluice" ? "APPLICATION" : "LIBRARY",
         ours ? "pkg:generic/" $1 "@" $2 : "pkg:deb/debian/" $1 "@" escaped($2) "?arch=" arch,
         ours && $1 == "sluice" ? "" : "built from: " $3 " " $4)
    relations = relations ",\n" relation("image", "CONTAINS", id)
}
END { printf "\n  ],\n  \"relationships\": [\n%s\n  ]\n}\n", relations }

function escaped(text) { gsub(/:/, "%3A", text); gsub(/\+/, "%2B", text); return text }
function part(id, what, v, licence, purpose, purl, from)
{
    printf "    {\"SPDXID\": \"SPDXRef-%s\", \"name\": \"%s\", \"versionInfo\": \"%s\", \"primaryPackagePurpose\": \"%s\",\n", id, what, v, purpose
    printf "     \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"licenseConcluded\": \"NOASSERTION\", \"licenseDeclared\": \"%s\",\n",
        licence == "" ? "NOASSERTION" : licence
    printf "     \"copyrightText\": \"NOASSERTION\", %s\"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"%s\"}]}",
        from == "" ? "" : "\"sourceInfo\": \"" from "\", ", purl
}
function relation(a, kind, b)
{
    return "    {\"spdxElementId\": \"SPDXRef-" a "\", \"relationshipType\": \"" kind "\", \"relatedSpdxElement\": \"SPDXRef-" b "\"}"
}'
