# lib.sh - what the tests share; sourced by them. Each runs as root in a system that nothing else is done with.
# shellcheck shell=sh
set -eu
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
tmp=${AUTOPKGTEST_TMP:-$(mktemp -d)}
export DEBIAN_FRONTEND=noninteractive

fail() { echo "FAILED: $*" >&2; journalctl -u sluice --no-pager -n 30 >&2 || true; tail -n 20 /var/log/sluice/error.log >&2 || true; exit 1; }
ok() { echo "ok: $*"; }
same() { [ "$2" = "$3" ] || fail "$1: \"$2\", not \"$3\""; ok "$1"; }
status_of() { curl -s -o /dev/null -w '%{http_code}' --max-time 20 "$@" || true; }
main_pid() { systemctl show --property=MainPID --value sluice.service; }

# A site of our own beside the default one, on port 8081.
site()
{
    mkdir -p /srv/site
    cat >/etc/sluice/sites-available/test
    ln -sfn ../sites-available/test /etc/sluice/sites-enabled/test
}
no_site() { rm -rf /etc/sluice/sites-available/test /etc/sluice/sites-enabled/test /srv/site; systemctl reload sluice; }

# Workers take up a changed configuration after `reload` has returned.
until_status()
{
    for _ in $(seq 200); do
        [ "$(status_of "$2")" != "$1" ] || return 0
        sleep 0.1
    done
    fail "$2 never answered $1"
}

# repack VERSION FILE: the installed package once more as VERSION, with a binary that is another file with other bytes. conffiles
# as they were shipped: in FILE.shipped/, where a test has changed them.
repack()
{
    rm -rf "$tmp/repack"
    mkdir -p "$tmp/repack/DEBIAN"
    dpkg -L sluice | while read -r path; do
        [ "$path" != /. ] || continue
        if [ -d "$path" ]; then # also where it is a link, as /lib
            mkdir -p "$tmp/repack$path"
        else
            cp -a "$path" "$tmp/repack$path"
        fi
    done
    printf '\n' >>"$tmp/repack/usr/sbin/sluice"
    for f in conffiles postinst postrm prerm triggers md5sums; do
        [ ! -e "/var/lib/dpkg/info/sluice.$f" ] || cp -a "/var/lib/dpkg/info/sluice.$f" "$tmp/repack/DEBIAN/$f"
    done
    dpkg-query -s sluice | sed -e '/^Status:/d' -e "s/^Version:.*/Version: $1/" -e '/^Conffiles:/d' -e '/^ \//d' >"$tmp/repack/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$tmp/repack" "$2" >/dev/null
}
