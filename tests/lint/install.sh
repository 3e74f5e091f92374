#!/bin/sh
# install.sh BINARY - `make install` into an empty folder has all that belongs to an installation; installed again over edited
# configuration it leaves that alone; `make uninstall` leaves nothing but that.
set -eu
binary=$1
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
fail() { echo "make install, make uninstall: $1" >&2; exit 1; }
run() { ${MAKE:-make} -s "$1" DESTDIR="$to" >"$to.log" 2>&1 || { cat "$to.log" >&2; rm -f "$to.log"; fail "$1"; }; rm -f "$to.log"; }
files() { find "$to" ! -type d; }
one() { files | grep -E "$1" | grep . || fail "nothing like $1 was installed"; }

run install
cmp -s "$(one '/sbin/sluice$')" "$binary" || fail "not this binary"
for f in '/man8/sluice\.8$' '/man5/sluice\.conf\.5$' '/sluice\.service$' '/sluice\.socket$' '/completions/sluice$' '/mime\.types$' \
    '/html/index\.html$' '/examples/mirror\.conf$'; do
    one "$f" >/dev/null
done
conf=$(one '/sluice/sluice\.conf$')
echo '# edited' >>"$conf"
run install
[ "$(tail -n 1 "$conf")" = '# edited' ] || fail "edited configuration was overwritten"
[ -s "$conf.new" ] || fail "no $conf.new beside edited configuration"
run uninstall
[ "$(files)" = "$conf" ] || fail "more than the edited configuration was left: $(files)"
rm "$conf"
run install
run uninstall
[ -z "$(files)" ] || fail "left: $(files)"
folders=$(find "$to" -name 'sluice*')
[ -z "$folders" ] || fail "left: $folders"
