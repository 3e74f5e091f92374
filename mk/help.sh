#!/bin/sh
# help.sh - the targets and variables of the makefile.
cat <<'END'
sluice: a static-file HTTP server for Linux

  make                        build build/sluice (optimised, hardened)
  make run [DIR=..] [PORT=..] serve conf/html with conf/sluice.conf, or DIR with built-in settings (port 8080)
  make reload                 let the sluice of `make run` read its configuration again
  make test                   install what is missing, build, run all tests: unit, seeds of fuzzing, integration, compare
  make test-unit              unit tests [LAYER=base] [SUITE=base_number]
  make test-integration       tests of the real binary over loopback [SUITE=ranges]
  make test-transport         the same over unix sockets and over TLS [TRANSPORT=tls] [SUITE=ranges]
  make test-browser           those of the pages, in headless Chromium, where it is installed [BROWSER_SHOTS=DIR]
  make test-clients           curl, wget, openssl, gnutls-cli, Node, git, apt, Chromium, sslscan over TLS; skopeo, umoci, buildah, podman; where installed
  make attack                 the hostile crowds of `make test` in full size, with memory and a good client's latency
  make compare                the same configurations and requests for nginx and sluice [CASE=ranges] [OVER=tls|h2]
  make fuzz [FUZZ="uri conf"] [FUZZ_SECONDS=60]
                              search for inputs that break a parser or a promise (clang, libFuzzer); docs/fuzzing.md
  make fuzz-smoke             the seeds of that, replayed under the sanitizers
  make coverage               lines of src/ that the tests run, by file (clang); fails below COVERAGE_LEAST=85 percent
  make test-valgrind          unit tests under valgrind [SUITE=base_number]
  make reloads [RELOADS=200]  reloads under load, one after the other: no request may fail
  make scale-test             replicas behind HAProxy and Varnish: killed, drained, upgraded, failing disks, other content, under load
                              [SCALE_MIB=1024] [SCALE_FRONTS="haproxy haproxy-h2 varnish"] [SCALE_DIR=folder]; docs/scale.md
  make soak [SOAK_MINUTES=30] all kinds of clients and a reload each minute: memory and descriptors as a table, must stay flat
  make bench [BENCH="requests streams hotset cold everyday catalogue scale calls idle copy tls h2"]
                              beside nginx, lighttpd, fio and a floor, as Markdown, JSON and a chart in build/bench/
                              [ROUNDS=5] [SECONDS=1] [SIZES="1 4 16 64 256 1024"] [STREAM_MIB=1024] [COLD_FILES=20000] [IDLE=10000]
                              everyday (ratios to nginx, without open_file_cache, and what leads with it): [LOADS="hit.1 gzip ranges"]
                              calls (only when asked for): system calls, switches and time of those loads by strace and perf; about 9 minutes [LOADS=..]
                              catalogue (files that are not in memory): [CATALOGUE_FILES=2500] [CATALOGUE_SIZES="8 64"] [CATALOGUE_CONNECTIONS="8 64"]
                              scale (a million files): [SCALE_FILES=1000000]
  make bench BENCH=ab BASE=path/to/old/sluice
                              this build beside another: CPU and speed of both, and the ratio, in build/bench/ab.md; about 4 minutes
                              [ROUNDS=9] [SECONDS=1] [STREAM_MIB=1024]
  make profile                instructions and CPU time of a small request by step (valgrind, perf)
  make bench-report           bench (but copy), profile, and docs/performance.md from them; about 50 minutes (bench-page: only the page)
  make bench-auto             directio auto beside fixed thresholds, in a memory cgroup (root) [ROUNDS=1] [SECONDS=10]
                              at full size: AUTO_FILES=2000 AUTO_CRAWL=4096 AUTO_MEMORY=1000
  make paths                  what each way of moving bytes costs: docs/performance-paths.md, docs/paths.svg [ROUNDS=3]
  make lint                   layers, clang-format, clang-tidy, cppcheck, both compilers with -Werror
  make format                 clang-format every file
  make docs                   write docs/directives.md from the directive tables
  make install                PREFIX=/usr/local DESTDIR=
  make uninstall              the same, away; logs and edited configuration stay
  make deb                    the Debian package, debug symbols and source package in build/deb [DEB_VERSION=..]
  make deb-test               builds it in a fresh minimal Debian, twice; in another one installs, tests, upgrades and purges it; installs,
                              upgrades and resumes from an APT repository that sluice serves (root, mmdebstrap)
  make apt-repo [KEY=ID]      an APT repository of build/deb in build/apt, signed [DEB_DIR=..] [APT_DIR=..]
  make rpm [RPM_TEST=1]       RPM packages of the committed tree in build/rpm (rpmbuild); tries the binary
  make image                  the container image in build/image, from nothing but the binary and its libraries, with its SPDX list
  make image-arm64            the same for arm64, cross-built in a fresh Debian (root, mmdebstrap)
  make image-test             builds it twice, and runs it with a read-only root, as a random user, without io_uring and Landlock (root, crun)
  make dist [KEY=ID]          the tarball of the committed tree in build/dist, reproducible, with its hash and signature
  make release-check          the checklist of a release, each step ok or failed [QUICK=1: without what takes minutes]
  make deps, bench-deps, deb-deps, deb-test-deps, image-deps, lint-deps
                              install missing packages (Debian, Ubuntu)
  make clean, distclean       remove what was built (and what was downloaded)

Variables: CC=clang  DEBUG=1  SANITIZE=address,undefined  WERROR=1  V=1  URING=0  AIO=0  CRYPT=0  CRYPTO=0  TLS=0  ZLIB=0  BROTLI=0  ZSTD=0  HTTP2=0  JANSSON=0  QR=0  LTO=0
END
