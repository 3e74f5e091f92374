#!/bin/sh
# tree.sh DIR - copies the project into DIR: what git tracks as it is now, or in a tarball all but build/. Modes are those of
# umask 022, whatever they are here.
set -eu
umask 022
cd "$(dirname "$0")/../.."
mkdir -p "$1"
list()
{
    if git rev-parse --show-toplevel 2>/dev/null | grep -qxF "$PWD"; then
        git ls-files -z --cached --others --exclude-standard
    else
        find . -path ./build -prune -o ! -type d -print0
    fi
}
list | LC_ALL=C sort -z | tar -c --mode=a+rX,u+w,go-w --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$1"
