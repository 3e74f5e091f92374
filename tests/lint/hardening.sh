#!/bin/sh
# hardening.sh BINARY - what the flags promise, looked up in the binary: a flag that a distribution's compiler ignores, or
# an object that was built without it, shows here.
set -eu
binary=$1 failures=0
headers=$(readelf -W -l "$binary") dynamic=$(readelf -W -d "$binary") symbols=$(readelf -W --dyn-syms "$binary")

check() # WHAT COMMAND...
{
    what=$1
    shift
    "$@" && return
    echo "$binary: $what" >&2
    failures=$((failures + 1))
}
has() { printf '%s\n' "$1" | grep -Eq "$2"; }
has_not() { ! has "$1" "$2"; }

check "is not position-independent (PIE)" has "$(readelf -W -h "$binary")" 'Type: +DYN'
check "has no read-only relocations (RELRO)" has "$headers" 'GNU_RELRO'
check "binds lazily: its RELRO is not full" has "$dynamic" 'BIND_NOW|FLAGS.*NOW'
check "has an executable stack" has "$headers" 'GNU_STACK.* RW +0x'
check "has a segment that can be written and executed" has_not "$headers" 'LOAD.* RWE '
check "has text relocations" has_not "$dynamic" 'TEXTREL'
check "has no stack protector" has "$symbols" '__stack_chk_fail'
check "has no checked libc calls (FORTIFY)" has "$symbols" '__(memcpy|snprintf|vsnprintf|fprintf|read|pread|recv)_chk'
check "has a run path" has_not "$dynamic" 'RPATH|RUNPATH'
if [ "$(uname -m)" = x86_64 ]; then
    # The note that the linker writes says only whether every object has them, the C library's too.
    landings=$(objdump -d "$binary" | grep -c endbr64 || true)
    check "has no landing marks for indirect branches (CET)" test "$landings" -gt 100
fi
exit $((failures > 0))
