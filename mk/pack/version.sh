#!/bin/sh
# version.sh - the version of this tree, from include/base/version.h, which is the one place that has it; and with --epoch the
# time that its packages carry: SOURCE_DATE_EPOCH, that of the newest commit, or (in a tarball) that of version.h.
set -eu
header=$(dirname "$0")/../../include/base/version.h
if [ "${1:-}" != --epoch ]; then
    sed -n 's/.*SLUICE_VERSION "\(.*\)"/\1/p' "$header"
elif [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
    echo "$SOURCE_DATE_EPOCH"
else
    git -C "$(dirname "$0")" log -1 --format=%ct 2>/dev/null || stat -c %Y "$header"
fi
