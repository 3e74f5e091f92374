#!/bin/sh
# help.sh - the targets and variables of the makefile.
cat <<'END'
sluice: a static-file HTTP server for Linux

  make                        build build/sluice (optimised, hardened)
  make run [DIR=..] [PORT=..] serve conf/html with conf/sluice.conf, or DIR with built-in settings (port 8080)
  make reload                 let the sluice of `make run` read its configuration again
  make test                   install what is missing, build, run unit and integration tests
  make test-unit              unit tests [LAYER=base] [SUITE=base_number]
  make test-integration       tests of the real binary over loopback [SUITE=ranges]
  make bench [BENCH=requests|streams]
                              CPU per request and throughput beside nginx and lighttpd, as a Markdown table
                              [ROUNDS=5] [SECONDS=2] [SIZES="1 16 64 256"] [STREAM_MIB=1024]
  make paths                  what each way of moving bytes costs: docs/performance-paths.md, docs/paths.svg [ROUNDS=3]
  make lint                   layers, clang-format, clang-tidy, cppcheck, both compilers with -Werror
  make format                 clang-format every file
  make docs                   write docs/directives.md from the directive tables
  make install                PREFIX=/usr/local DESTDIR=
  make uninstall              the same, away
  make deps, bench-deps, lint-deps   install missing packages (Debian, Ubuntu)
  make clean, distclean       remove what was built (and what was downloaded)

Variables: CC=clang  DEBUG=1  SANITIZE=address,undefined  WERROR=1  V=1  URING=0  AIO=0
END
