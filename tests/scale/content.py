"""content.py - the files that replicas serve, in two releases, and what may be answered for each of them."""
import base64
import gzip
import hashlib
import os
import random
import shutil
import subprocess

PAST = 1_600_000_000  # no file is younger than its list


def sha(data):
    return hashlib.sha256(data).digest()


def tag_of(digest):
    """The first 22 characters; a coding's mark may follow."""
    return base64.urlsafe_b64encode(digest).decode()[:22]


def field_of(digest):
    return "sha-256=:" + base64.b64encode(digest).decode() + ":"


class Content:
    """`expected[path][coding]` maps a digest to the release that has these bytes."""

    def __init__(self, folder, sluice, big_mib):
        self.folder = folder
        self.sluice = sluice
        self.expected = {}
        self.big_mib = big_mib
        for release in ("v1", "v2"):
            self._write_release(release)
        self._write_big()

    # Half of the files differ in v2, at the same size.
    def _write_release(self, release):
        groups = (("small", 40, 1 << 10, True), ("page", 12, 20_000, True), ("middle", 8, 300_000, True),
                  ("large", 4, 3 << 20, False), ("huge", 4, 12 << 20, False))
        for group, count, size, packed in groups:
            for n in range(count):
                changes = n % 2 == 1
                source = random.Random(f"{group}{n}{release if changes else ''}")
                name = f"{group}/{n}.{'html' if packed else 'bin'}"
                self._put(release, name, self._bytes(source, size, packed), packed)
        self._hash(os.path.join(self.folder, release))

    @staticmethod
    def _bytes(source, size, packed):
        if not packed:
            return source.randbytes(size)
        return source.randbytes(size // 2).hex().encode()  # can be packed

    def _put(self, release, name, data, packed):
        path = os.path.join(self.folder, release, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._one(path, "/" + name, "identity", data, release)
        if packed:
            self._one(path + ".gz", "/" + name, "gzip", gzip.compress(data, 6, mtime=0), release)
            # Nobody unpacks these here: any bytes will do.
            self._one(path + ".br", "/" + name, "br", b"br" + data[::-3], release)
            self._one(path + ".zst", "/" + name, "zstd", b"zstd" + data[::-2], release)

    def _one(self, path, url, coding, data, release):
        with open(path, "wb") as f:
            f.write(data)
        self.expected.setdefault(url, {}).setdefault(coding, {}).setdefault(sha(data), release)

    def _hash(self, folder):
        subprocess.run([self.sluice, "hash", folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _write_big(self):
        folder = os.path.join(self.folder, "big")
        os.makedirs(folder)
        digest = hashlib.sha256()
        block = random.Random("big").randbytes(1 << 20)
        with open(os.path.join(folder, "big.bin"), "wb") as f:
            for n in range(self.big_mib):
                piece = n.to_bytes(8, "big") + block[8:]
                digest.update(piece)
                f.write(piece)
        self.big = digest.digest()
        self._hash(folder)

    def copy_to(self, replica, number):
        """Each replica's files have times of their own."""
        for release in [d for d in ("v1", "v2", "big") if os.path.isdir(os.path.join(self.folder, d))]:
            to = os.path.join(replica, "releases", release)
            shutil.copytree(os.path.join(self.folder, release), to, copy_function=shutil.copyfile)
            for at, _, names in os.walk(to):
                for name in names:
                    if name != "SHA256SUMS":
                        when = PAST + 1000 * number + len(name)
                        os.utime(os.path.join(at, name), (when, when))

    def paths(self, *groups):
        return sorted(p for p in self.expected if p.split("/")[1] in groups)
