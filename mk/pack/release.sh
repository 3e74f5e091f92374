#!/bin/bash
# release.sh - `make release-check`: the checklist of a release, each step ok or failed. It publishes nothing. QUICK=1 leaves out what
# builds or runs for minutes. Exit status 1: a step failed.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
version=$(mk/pack/version.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 log=$work/log

step() # WHAT COMMAND...: its output is shown where it fails
{
    local what=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "ok      $what"
    else
        echo "failed  $what"
        tail -n 15 "$log" | sed 's/^/        /'
        failed=$((failed + 1))
    fi
}
slow() { if [[ ${QUICK:-} = 1 ]]; then echo "left    $1"; else step "$@"; fi; }

clean_tree() { [[ -z $(git status --porcelain | tee /dev/stderr) ]]; }
is_new() { [[ -z $(git tag --list "v$version" | tee /dev/stderr) ]]; }

# CHANGELOG.md: the newest section is that of this version, of today; nothing is unreleased.
in_changelog()
{
    grep '^## ' CHANGELOG.md | head -n 3
    [[ $(grep '^## ' CHANGELOG.md | grep -v Unreleased | head -n 1 | tr -d '[]') = "## $version - $(date +%F)" ]] &&
        ! sed -n '/^## .*Unreleased/,/^## .*[0-9]/p' CHANGELOG.md | grep '^- '
}

# What was measured names the version that it was measured with; 192.0.2.0/24 is no version.
one_place()
{
    ! git grep -nE "(^|[^0-9.])${version//./\\.}([^0-9.]|\$)" -- include src conf debian packaging completions mk README.md 'docs/*.[58]' 'docs/*.in' \
        docs/install.md docs/security.md Makefile ':!include/base/version.h'
}
docs_current() { make docs && git diff --exit-code --stat -- docs; }

# The same bytes from this folder and from a clone.
dist_reproducible()
{
    git clone -q "$PWD" "$work/clone" && make dist DIST_DIR="$work/one" && make -C "$work/clone" dist DIST_DIR="$work/two" &&
        cmp "$work/one/sluice-$version.tar.gz" "$work/two/sluice-$version.tar.gz"
}
dist_builds() { tar -xf "$work/one/sluice-$version.tar.gz" -C "$work" && make -C "$work/sluice-$version" all && "$work/sluice-$version/build/sluice" -v 2>&1 | grep -F "$version"; }
deb_builds() { make deb DEB_DIR="$work/deb" && ls "$work"/deb/sluice_"$version"_*.deb; }
deb_tested()
{
    local rc=0
    mk/pack/deb-test.sh || rc=$?
    [[ $rc = 0 || $rc = 77 ]]
}

echo "sluice $version"
step "the tree is clean" clean_tree
step "v$version is a new tag" is_new
step "CHANGELOG.md has $version, of today, and nothing unreleased" in_changelog
step "the version is in one place" one_place
step "generated pages are current" docs_current
step "make dist: the same bytes from a clone" dist_reproducible
slow "the tarball builds" dist_builds
slow "make deb" deb_builds
slow "make test" make test WERROR=1
slow "make test SANITIZE=address,undefined" make test SANITIZE=address,undefined WERROR=1
slow "make lint" make lint
slow "make deb-test" deb_tested
if [[ $failed = 0 ]]; then
    cat <<END
then:   git tag -s v$version && make dist KEY=.. && make deb && make apt-repo KEY=.. && git push origin v$version
END
else
    echo "$failed failed"
    exit 1
fi
