# image.mk - the container image: built from nothing but the binary and its libraries, and run in a sandbox.

IMAGE_DIR ?= build/image

image-deps:
	@mk/deps.sh $(DEPS_OPTIONS) --image

# An OCI image FROM scratch, its list of contents (SPDX) beside it.
image: image-deps
	+@mk/image/image.sh '$(IMAGE_DIR)'

# Its files alone, in the folder IMAGE_ROOT: what the Containerfile copies.
image-root:
	+@mk/image/image.sh --root '$(IMAGE_ROOT)'

# For arm64, cross-built in a fresh Debian. Needs root and mmdebstrap.
image-arm64: image-deps
	+@mk/image/arm64.sh '$(IMAGE_DIR)'

# Built twice, and run as a stranger without rights. Needs root.
image-test:
	+@mk/image/image-test.sh

.PHONY: image-deps image image-root image-arm64 image-test
