# apt-test.sh - the APT repository, for deb-test.sh, which sources it: sluice serves the repository on a machine with systemd; apt
# of another Debian installs from it, asks again, upgrades, and takes a download up where it was cut.

# shellcheck shell=bash disable=SC2154 # variables and functions of deb-test.sh
apt_port=8082

# On the server's side: $machine, which fresh_boot has started.
serve_repository()
{
    fresh_in sh -ec 'dpkg -i /var/tmp/sluice.deb >/dev/null
        cat >/etc/sluice/sites-available/apt
        ln -s ../sites-available/apt /etc/sluice/sites-enabled/apt
        systemctl reload sluice' <<END
log_format apt '\$status \$uri "\$http_range"';
server {
    listen $apt_port;
    root /srv/apt;
    access_log /var/log/sluice/apt.log apt;
    location /pool/ { limit_rate 2m; }
}
END
}
publish() { mk/pack/apt-repo.sh "$machine/srv/apt" "$1" test@sluice.invalid || fail "make apt-repo"; }

# Lines of its log since the last call, once one of them matches.
logged()
{
    local log=$machine/var/log/sluice/apt.log tries
    for ((tries = 100; tries > 0; tries--)); do
        ! tail -n "+$((apt_lines + 1))" "$log" 2>/dev/null | grep -q "$1" || break
        sleep 0.1
    done
    ((tries > 0)) || { cat "$log" >&2; fail "apt asked for nothing like $1"; }
    tail -n "+$((apt_lines + 1))" "$log"
}
log_is_read() { apt_lines=$(wc -l <"$machine/var/log/sluice/apt.log"); }

# On the client's side: $customer, which has the network of the machine, and no other archive.
customer_in()
{
    nsenter -t "$FRESH_PID" -n -- bash -c '. mk/pack/fresh.sh; fresh_chroot "$@"' bash "$customer" "$@"
}

make_customer()
{
    fresh_root "$base" "$customer"
    cp "$deb" "$customer/var/tmp/sluice.deb"
    fresh_chroot "$customer" sh -ec 'apt-get -qq -y install --no-install-recommends /var/tmp/sluice.deb >/dev/null
        dpkg -P sluice >/dev/null
        rm -rf /var/tmp/sluice.deb /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
        mkdir -p /etc/apt/keyrings' 2>/dev/null
    cp "$machine/srv/apt/sluice.asc" "$customer/etc/apt/keyrings/"
    sed "s|^URIs: .*|URIs: http://127.0.0.1:$apt_port/|" "$machine/srv/apt/sluice.sources.example" >"$customer/etc/apt/sources.list.d/sluice.sources"
}
installed() { customer_in dpkg-query -W -f '${Version}' sluice; }

# next_version: the package once more, as a newer version that takes some seconds to download.
next_version()
{
    local tree=$work/next
    dpkg-deb -R "$deb" "$tree"
    version=$(sed -n 's/^Version: //p' "$tree/DEBIAN/control")+test1
    sed -i "s/^Version: .*/Version: $version/" "$tree/DEBIAN/control"
    head -c 12000000 /dev/urandom >"$tree/usr/share/doc/sluice/large"
    mkdir -p "$work/newer"
    dpkg-deb --root-owner-group -b "$tree" "$work/newer/sluice_${version#*:}_$(dpkg --print-architecture).deb" >/dev/null
    rm -rf "$tree"
}

# Ends the worker that sends, once some of the package has arrived.
cut_download()
{
    local partial tries
    for ((tries = 300; tries > 0; tries--)); do
        partial=$(find "$customer/var/cache/apt/archives/partial" -name 'sluice_*' -size +2048k)
        [[ -z $partial ]] || break
        sleep 0.1
    done
    [[ -n $partial ]] || { echo "no download to cut" >&2; return 1; }
    # shellcheck disable=SC2016
    fresh_in sh -c 'kill -KILL $(cat /proc/$(cat /run/sluice.pid)/task/*/children)'
}

apt_test()
{
    local version='' apt_lines=0
    export GNUPGHOME=$work/gnupg
    mkdir -m 700 "$GNUPGHOME"
    gpg -q --batch --passphrase '' --quick-gen-key 'sluice test <test@sluice.invalid>' ed25519 sign never 2>/dev/null || fail "gpg makes no key"
    serve_repository
    publish "$debs"
    make_customer
    customer_in apt-get -qq update || fail "apt-get update"
    logged 'by-hash/SHA256' | grep -q '^200 /dists/stable/main/binary-.*/by-hash/SHA256/' || fail "apt used no by-hash"
    echo "ok: apt-get update, by hash"
    customer_in apt-get -qq -y install sluice >/dev/null 2>&1 || fail "apt-get install from the repository"
    logged '/pool/' >/dev/null
    echo "ok: apt-get install: $(installed)"

    log_is_read
    customer_in apt-get -qq update || fail "the second apt-get update"
    ! logged InRelease | grep -v '^304 ' || fail "unchanged indexes were sent again"
    echo "ok: 304 for what has not changed"

    next_version
    publish "$work/newer"
    log_is_read
    customer_in apt-get -qq update || fail "apt-get update, with a newer version"
    cut_download &
    local cutter=$!
    customer_in apt-get -qq -y upgrade >"$work/upgrade.log" 2>&1 || { cat "$work/upgrade.log"; fail "apt-get upgrade"; }
    wait $cutter || fail "the download was not cut"
    [[ $(installed) = "$version" ]] || fail "$(installed) is installed, not $version"
    logged '/pool/' | grep '^206 /pool/.* "bytes=[1-9][0-9]*-"' || fail "a download that was cut was not resumed"
    echo "ok: apt-get upgrade: $version, by a download that was cut and resumed"
}
