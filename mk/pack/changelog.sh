#!/bin/sh
# changelog.sh VERSION EPOCH - debian/changelog of this version; what has changed is told by CHANGELOG.md.
set -eu
maintainer=$(sed -n 's/^Maintainer: //p' "$(dirname "$0")/../../debian/control")
cat <<END
sluice ($1) unstable; urgency=medium

  * Version $1. What has changed: /usr/share/doc/sluice/CHANGELOG.md.gz

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$2")
END
