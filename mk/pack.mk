# pack.mk - packages and releases: the Debian packages, their test in a fresh Debian, the tarball.

DEB_DIR ?= build/deb
DIST_DIR ?= build/dist
# The key that signs: an ID or address that gpg knows.
KEY ?=

deb-deps:
	@mk/deps.sh $(DEPS_OPTIONS) --deb

# sluice_VERSION_ARCH.deb, its debug symbols, the source package. DEB_VERSION: another version than that of the tree.
deb: deb-deps
	@mk/pack/deb.sh '$(DEB_DIR)'

# In a fresh Debian: built twice, installed, served, reloaded, upgraded, purged. Needs root.
deb-test:
	@mk/pack/deb-test.sh

# sluice-VERSION.tar.gz of the committed tree, its hash, and with KEY its signature.
dist:
	@mk/pack/dist.sh '$(DIST_DIR)' '$(KEY)'

.PHONY: deb-deps deb deb-test dist
