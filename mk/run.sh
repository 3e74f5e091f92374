#!/bin/bash
# run.sh SLUICE PORT ORIGIN DIR - `make run`: DIR with built-in settings, or conf/html with conf/sluice.conf.
# run.sh --reload - tells the second kind to read its configuration again.
#
# The prefix is build/run: html is a link to conf/html, and the log files are links to this terminal. When another port
# is wanted (or the usual one is taken), the configuration that is used is a copy with that port changed.
set -eu
cd "$(dirname "$0")/.."
run=build/run

# The configuration in use: conf/sluice.conf, or a copy of it with $port in place of 8080.
configuration()
{
    conf=conf/sluice.conf
    grep -Eq "^[[:space:]]*listen[[:space:]]+([^;]*:)?$port([[:space:]][^;]*)?;" $conf && return
    sed -E "s/^([[:space:]]*listen[[:space:]]+([^;]*:)?)8080([[:space:]][^;]*)?;/\1$port\3;/" $conf >$run/sluice.conf
    for f in conf/*; do
        [ "$f" = $conf ] || ln -sfn "../../$f" "$run/${f##*/}"
    done
    conf=$run/sluice.conf
}

if [ "$1" = --reload ]; then
    { read -r pid <$run/logs/sluice.pid && read -r port <$run/port; } 2>/dev/null ||
        { echo "make reload: no sluice of make run is running" >&2; exit 1; }
    configuration
    kill -HUP "$pid"
    exit
fi

sluice=$1 port=$2 origin=$3 dir=$4
if [ -n "$dir" ]; then
    exec "$sluice" "$dir" -l "$port"
fi

# The workers of a master that is root are nobody, who may not see this folder: as below /root, or a home. Then they are
# its owner. A `user` in conf/sluice.conf stays.
workers()
{
    [ "$(id -u)" = 0 ] && ! grep -Eq '^[[:space:]]*user[[:space:]]' conf/sluice.conf || return 0
    local folder=$PWD/conf/html owner
    while [ -n "$folder" ]; do
        case $(stat -c %A "$folder") in
        *[xt]) folder=${folder%/*} ;;
        *)
            owner=$(stat -c '%U %G' "$PWD")
            case $owner in
            *UNKNOWN*) echo "$folder is closed to others, so that workers will find nothing" >&2 ;;
            *)
                echo "workers run as ${owner% *}, because $folder is closed to others" >&2
                globals="$globals user $owner;" ;;
            esac
            return ;;
        esac
    done
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
wanted=$port
if [ "$origin" = file ]; then
    while taken "$port" && [ "$port" -lt $((wanted + 20)) ]; do
        port=$((port + 1))
    done
    [ "$port" = "$wanted" ] || echo "port $wanted is taken, using $port"
fi

mkdir -p $run/logs
ln -sfn ../../conf/html $run/html
ln -sfn /dev/stdout $run/logs/access.log
ln -sfn /dev/stderr $run/logs/error.log
echo "$port" >$run/port
configuration

cat <<END
sluice serves conf/html on http://127.0.0.1:$port/  (Ctrl-C stops it)
  configuration: conf/sluice.conf; change directio there, for example, then: make reload
END
globals='daemon off;'
workers
exec "$sluice" -p "$PWD/$run/" -c "$PWD/$conf" -g "$globals"
