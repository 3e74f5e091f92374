# pack.mk - packages and releases: the Debian packages, their repository, their test in fresh Debians, the tarball.

DEB_DIR ?= build/deb
DIST_DIR ?= build/dist
APT_DIR ?= build/apt
RPM_DIR ?= build/rpm
# The key that signs: an ID or address that gpg knows.
KEY ?=

deb-deps:
	@mk/deps.sh $(DEPS_OPTIONS) --deb

# sluice_VERSION_ARCH.deb, its debug symbols, the source package. DEB_VERSION: another version than that of the tree.
deb: deb-deps
	@mk/pack/deb.sh '$(DEB_DIR)'

# In a fresh Debian: built twice, installed, served, reloaded, upgraded, purged; installed from a repository. Needs root.
deb-test:
	@mk/pack/deb-test.sh

deb-test-deps:
	@mk/deps.sh $(DEPS_OPTIONS) --deb-test

# An APT repository of the packages in DEB_DIR and those that it has already, signed by KEY: files for any server.
apt-repo:
	@mk/pack/apt-repo.sh '$(APT_DIR)' '$(DEB_DIR)' '$(KEY)'

# The RPM packages of what is committed, in RPM_DIR. RPM_TEST=1: and its binary serves.
rpm:
	@RPM_TEST='$(RPM_TEST)' mk/pack/rpm.sh '$(RPM_DIR)'

# The checklist of a release. QUICK=1: without what takes minutes.
release-check:
	@QUICK='$(QUICK)' mk/pack/release.sh

# sluice-VERSION.tar.gz of the committed tree, its hash, and with KEY its signature.
dist:
	@mk/pack/dist.sh '$(DIST_DIR)' '$(KEY)'

.PHONY: deb-deps deb deb-test deb-test-deps apt-repo rpm release-check dist
