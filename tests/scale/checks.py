"""checks.py - what replicas must agree on, asked of each of them directly: tags, digests, 304, resumes at another one."""
import hashlib
import http.client
import itertools

from clients import Http1, Wrong, start_of
from content import field_of, tag_of


class Agreement:
    def __init__(self, replicas, content, tally):
        self.replicas, self.content, self.tally = replicas, content, tally
        self.plain = [Http1(r.plain, "127.0.0.1") for r in replicas]
        self.dated = [Http1(r.dated, "127.0.0.1") for r in replicas]

    def ask(self, transport, path, fields, method="GET", status=200):
        self.tally.add(requests=1)
        a = transport.fetch(path, fields, method)
        if a.status != status or not a.whole:
            raise Wrong(f"{method} {path} {fields}: {a.status} {a.why}, not {status}")
        return a

    def all(self):
        for path in self.content.paths("small", "page", "middle"):
            for coding in ("identity", "gzip", "br", "zstd"):
                self.equal(path, coding)
        for path in (self.content.paths("middle")[0], self.content.paths("huge")[0]):
            for coding in ("identity", "gzip", "br", "zstd"):
                for a, b in itertools.permutations(range(len(self.replicas)), 2):
                    self.resume(path, coding, a, b)
        self.resume_big()

    # Tags and digests of 200, HEAD, 206 and 304 are one, on all replicas.
    def equal(self, path, coding):
        accept = {"Accept-Encoding": coding}
        tags = set()
        for one in self.plain:
            whole = self.ask(one, path, accept)
            digest = hashlib.sha256(whole.body).digest()
            if digest not in self.content.expected[path][coding] or not whole["etag"].startswith('"' + tag_of(digest)):
                raise Wrong(f"{path}, {coding}: {whole['etag']} is not of these bytes")
            tags.add(whole["etag"])
            part = self.ask(one, path, dict(accept, Range="bytes=5-99"), status=206)
            if part.body != whole.body[5:100]:
                raise Wrong(f"{path}, {coding}: wrong bytes 5-99")
            for other in self.plain:
                same = self.ask(other, path, dict(accept, **{"If-None-Match": whole["etag"]}), status=304)
                self.digest_is(same, digest, f"304 of {path}, {coding}", whole["etag"])
            for a in (whole, part, self.ask(one, path, accept, "HEAD")):
                self.digest_is(a, digest, f"{path}, {coding}", whole["etag"])
            self.tally.add(bytes=len(whole.body))
        if len(tags) != 1:
            raise Wrong(f"{path}, {coding}: {tags}")

    def digest_is(self, answer, digest, what, tag):
        if answer["repr-digest"] != field_of(digest) or answer["etag"] != tag:
            raise Wrong(f"{what}: {answer['etag']}, Repr-Digest: {answer['repr-digest']}, not {field_of(digest)}")
        self.tally.add(digests=1, validators=1)

    # The first part comes from a, the rest from b: 206 by a tag of content, the whole by one of time.
    def resume(self, path, coding, a, b):
        accept = {"Accept-Encoding": coding}
        whole = self.ask(self.plain[a], path, accept)
        half = len(whole.body) // 2
        for transports, status in ((self.plain, 206), (self.dated, 200)):
            first = self.ask(transports[a], path, dict(accept, Range=f"bytes=0-{half - 1}"), status=206)
            rest = self.ask(transports[b], path, dict(accept, Range=f"bytes={half}-", **{"If-Range": first["etag"]}), status=status)
            body = first.body + rest.body if status == 206 else rest.body
            if status == 206 and start_of(rest) != half:
                raise Wrong(f"{path}: {rest['content-range']}")
            if hashlib.sha256(body).digest() != hashlib.sha256(whole.body).digest():
                raise Wrong(f"{path}, {coding}: resumed at another replica, the bytes are mixed")
            self.tally.add(resumed=1, resumed_whole=int(status == 200), bytes=len(body), validators=1)

    # As above, hashed as it comes.
    def resume_big(self):
        path, size = "/big/big.bin", self.content.big_mib << 20
        half = size // 2 + 12345
        for a, first in enumerate(self.replicas):
            begun, tag = self.read_big(first, {"Range": f"bytes=0-{half - 1}"}, hashlib.sha256(), half)
            for b, second in enumerate(self.replicas):
                if a == b:
                    continue
                ended, _ = self.read_big(second, {"Range": f"bytes={half}-", "If-Range": tag}, begun.copy(), size - half)
                if ended.digest() != self.content.big:
                    raise Wrong(f"{path}: begun at {first.name}, resumed at {second.name}: another hash")
                self.tally.add(resumed=1)

    def read_big(self, replica, fields, digest, expected):
        c = http.client.HTTPConnection("127.0.0.1", replica.plain, timeout=60)
        c.request("GET", "/big/big.bin", headers=dict(fields, **{"X-Client": "127.0.0.1"}))
        r = c.getresponse()
        block, count = memoryview(bytearray(1 << 20)), 0
        while n := r.readinto(block):
            digest.update(block[:n])
            count += n
        tag = r.getheader("ETag")
        if r.status != 206 or count != expected or r.getheader("Repr-Digest") != field_of(self.content.big):
            raise Wrong(f"big.bin from {replica.name}: {r.status}, {count} bytes, {r.getheader('Repr-Digest')}")
        c.close()
        self.tally.add(requests=1, bytes=count, digests=1, validators=1)
        return digest, tag

    def changed(self, old, new, path):
        """Begun at a replica of the earlier release, resumed at one that has the later: the whole of that."""
        for t in self.plain:
            t.close()  # kept since before the replicas were started again
        first = self.ask(self.plain[old], path, {"Range": "bytes=0-999"}, status=206)
        rest = self.ask(self.plain[new], path, {"Range": "bytes=1000-", "If-Range": first["etag"]}, status=200)
        if self.content.expected[path]["identity"].get(hashlib.sha256(rest.body).digest()) != "v2":
            raise Wrong(f"{path}: not the later release")
        back = self.ask(self.plain[old], path, {"If-None-Match": rest["etag"]})
        if self.content.expected[path]["identity"].get(hashlib.sha256(back.body).digest()) != "v1":
            raise Wrong(f"{path}: not the earlier release")
        self.tally.add(validators=2)


def addresses(replicas):
    """Lines of the replicas' logs whose client has said its own address; raises where another was logged."""
    count = 0
    for r in replicas:
        for line in r.lines():
            logged, said = line.split(" ")[:2]
            if said == "-":
                continue
            if logged != said:
                raise Wrong(f"replica {r.name} logged {logged} for the client {said}: {line}")
            count += 1
    return count


def want_none(transport, path):
    """Want-Repr-Digest may refuse it."""
    a = transport.fetch(path, {"Want-Repr-Digest": "sha-256=0"})
    if a["repr-digest"]:
        raise Wrong(f"Repr-Digest though it is not wanted: {a['repr-digest']}")


