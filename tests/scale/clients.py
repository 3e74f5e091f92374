"""clients.py - who asks: HTTP/1.1 by http.client, HTTP/2 by curl. Whatever comes is held against the files, and a body
that ends early is resumed as download programs do it: Range and If-Range with the tag of its first part."""
import hashlib
import http.client
import os
import random
import ssl
import subprocess
import threading
import time

from content import field_of, tag_of

MARKS = {"gzip": ("gzip", ".gz"), "br": ("br", ".br"), "zstd": ("zstd", ".zst")}


class Answer:
    """status 0: no response; `why` says more of what is not whole."""

    def __init__(self, status=0, fields=None, body=b"", whole=False, why=""):
        self.status, self.fields, self.body, self.whole, self.why = status, fields or {}, body, whole, why

    def __getitem__(self, name):
        return self.fields.get(name, "")


class Http1:
    """One connection that is kept. `port` may change; `source` is the client's address."""

    def __init__(self, port, source, authority=None, pause=0.0):
        self.port, self.source, self.pause = port, source, pause
        self.context = ssl.create_default_context(cafile=authority) if authority else None
        self.connection = None

    def _open(self):
        if self.context:
            self.connection = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.context,
                                                          source_address=(self.source, 0))
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(self.source, 0))

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def fetch(self, path, fields, method="GET"):
        if not self.connection:
            self._open()
        a = Answer()
        try:
            self.connection.request(method, path, headers=dict(fields, **{"X-Client": self.source}))
            response = self.connection.getresponse()
            a.status = response.status
            a.fields = {k.lower(): v for k, v in response.getheaders()}
            self._read(response, a, method)
        except (OSError, http.client.HTTPException) as e:
            a.why = repr(e)
        if not a.whole or response.will_close:
            self.close()
        return a

    def _read(self, response, a, method):
        pieces = []
        try:
            while piece := response.read(65536):
                pieces.append(piece)
                if self.pause:
                    time.sleep(self.pause)
        except (OSError, http.client.HTTPException) as e:
            a.why = repr(e)
        a.body = b"".join(pieces)
        length = 0 if method == "HEAD" or a.status == 304 else int(a["content-length"] or -1)
        a.whole = not a.why and (length == len(a.body) or length < 0)
        if not a.whole and not a.why:
            a.why = f"{len(a.body)} bytes of {length}"


class Curl:
    """HTTP/2: by ALPN with an authority, else by prior knowledge."""

    def __init__(self, port, source, authority=None, folder="/tmp"):
        self.port, self.source, self.authority = port, source, authority
        self.head, self.out = (os.path.join(folder, f"{source}.{what}") for what in ("head", "body"))

    def close(self):
        pass

    def fetch(self, path, fields, method="GET"):
        scheme = "https" if self.authority else "http"
        argv = ["curl", "-sS", "-g", "--interface", self.source, "-D", self.head, "-o", self.out, "-H", f"X-Client: {self.source}"]
        argv += ["--http2", "--cacert", self.authority] if self.authority else ["--http2-prior-knowledge"]
        argv += ["--head"] if method == "HEAD" else []
        for name, value in fields.items():
            argv += ["-H", f"{name}: {value}"]
        for old in (self.head, self.out):
            if os.path.exists(old):
                os.unlink(old)
        host = "localhost" if self.authority else "127.0.0.1"
        ended = subprocess.run(argv + [f"{scheme}://{host}:{self.port}{path}"], capture_output=True, text=True, check=False, timeout=120)
        return self._answer(ended, method)

    def _answer(self, ended, method):
        a = Answer(whole=ended.returncode == 0, why=ended.stderr.strip())
        lines = []
        if os.path.exists(self.head):
            with open(self.head, encoding="latin-1") as f:
                lines = f.read().split("\n")
        if lines and lines[0].startswith("HTTP/2 "):
            a.status = int(lines[0].split()[1])
            a.fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        elif a.whole:
            a.whole, a.why = False, f"not HTTP/2: {lines[:1]}"
        if method != "HEAD" and os.path.exists(self.out):
            with open(self.out, "rb") as f:
                a.body = f.read()
        return a


class Tally:
    """What all clients count together."""
    names = ("requests", "failures", "resumed", "resumed_whole", "bytes", "validators", "digests", "not_modified")

    def __init__(self):
        self.lock = threading.Lock()
        self.values = dict.fromkeys(self.names, 0)
        self.failed, self.cuts = [], []

    def add(self, **counts):
        with self.lock:
            for name, n in counts.items():
                self.values[name] += n

    def cut(self, what):
        with self.lock:
            self.values["resumed"] += 1
            self.cuts.append(time.strftime("%H:%M:%S ") + what)

    def fail(self, what):
        with self.lock:
            self.values["failures"] += 1
            self.failed.append(time.strftime("%H:%M:%S ") + what)

    def now(self):
        with self.lock:
            return dict(self.values)


class Wrong(Exception):
    pass


def start_of(answer):
    """Where a 206 begins."""
    unit, _, rest = answer["content-range"].partition(" ")
    if unit != "bytes":
        raise Wrong(f"Content-Range: {answer['content-range']}")
    return int(rest.split("-")[0])


class Checked:
    """A transport whose answers are held against the content. `dated`: tags of time may come, too."""

    def __init__(self, transport, content, tally):
        self.transport, self.content, self.tally = transport, content, tally
        self.dated = False

    def get(self, path, coding="identity"):
        """The whole file, in as many parts as it takes. Raises Wrong."""
        fields = {"Accept-Encoding": coding}
        first = self._ask(path, fields)
        body, attempts = first.body, 0
        if first.status not in (200, 206):
            raise Wrong(f"{path}: {first.status} {first.why}")
        while not first.whole:
            attempts += 1
            if attempts > 10:
                raise Wrong(f"{path}: not whole after {attempts} attempts: {first.why}")
            time.sleep(0.1 * attempts)
            first, body = self._resume(path, fields, first, body)
        self._judge(path, first, body)
        first.body = body
        return first

    def _ask(self, path, fields, method="GET"):
        self.tally.add(requests=1)
        return self.transport.fetch(path, fields, method)

    def _resume(self, path, fields, first, body):
        tag = first["etag"]
        ranged = dict(fields, **{"Range": f"bytes={len(body)}-", "If-Range": tag}) if body and not tag.startswith("W/") else fields
        more = self._ask(path, ranged)
        self.tally.cut(f"{self.transport.source}: {path}: ended after {len(body)} bytes, {first.why}")
        if more.status == 206:
            if more["etag"] != tag or start_of(more) != len(body):
                raise Wrong(f"{path}: {tag} from {len(body)} resumed as {more['etag']} from {start_of(more)}")
            first.whole, first.why = more.whole, more.why
            return first, body + more.body
        if more.status == 200:
            self.tally.add(resumed_whole=1)
            return more, more.body
        raise Wrong(f"{path}: resumed after {len(body)} bytes ({first.why}): {more.status} {more.why}")

    def _judge(self, path, answer, body):
        coding = answer["content-encoding"] or "identity"
        digest = hashlib.sha256(body).digest()
        known = self.content.expected[path].get(coding, {})
        if digest not in known:
            raise Wrong(f"{path}: {len(body)} bytes ({coding}, {answer['etag']}) are of no release")
        self._judge_fields(path, answer, digest)
        self.tally.add(bytes=len(body))

    def _judge_fields(self, path, answer, digest):
        tag = answer["etag"].strip('"')
        if not tag.startswith(tag_of(digest)):
            if not self.dated:
                raise Wrong(f"{path}: tag {answer['etag']}, not {tag_of(digest)}")
            return
        self.tally.add(validators=1)
        if answer["repr-digest"] != field_of(digest):
            raise Wrong(f"{path}: Repr-Digest: {answer['repr-digest']}, not {field_of(digest)}")
        self.tally.add(digests=1)

    def head(self, path, coding):
        a = self._ask(path, {"Accept-Encoding": coding}, "HEAD")
        if a.status != 200 or not a.whole:
            raise Wrong(f"HEAD {path}: {a.status} {a.why}")
        known = self.content.expected[path].get(a["content-encoding"] or "identity", {})
        if not self.dated and a["repr-digest"] not in [field_of(d) for d in known]:
            raise Wrong(f"HEAD {path}: Repr-Digest: {a['repr-digest']}")
        return a

    def revalidate(self, path, coding):
        tag = self.get(path, coding)["etag"]
        a = self._ask(path, {"Accept-Encoding": coding, "If-None-Match": tag})
        if a.status == 304 and a.whole:
            self.tally.add(not_modified=1)
            if a["etag"] != tag and not self.dated:
                raise Wrong(f"{path}: 304 with {a['etag']}, not {tag}")
        elif a.status != 200:
            raise Wrong(f"{path}: If-None-Match: {a.status} {a.why}")
        elif a.whole:
            self._judge(path, a, a.body)

    def range(self, path, coding, part):
        """A part, which must be some release's; its digest is the whole's."""
        whole = self.get(path, coding)
        size = len(whole.body)
        begin = part.randrange(size)
        end = min(size, begin + 1 + part.randrange(70_000))
        fields = {"Accept-Encoding": coding, "Range": f"bytes={begin}-{end - 1}", "If-Range": whole["etag"]}
        a = self._ask(path, fields)
        if a.status == 206 and a.whole:
            if a.body != whole.body[begin:end]:
                raise Wrong(f"{path}: wrong bytes {begin}-{end}")
            if a["repr-digest"] != whole["repr-digest"] and not self.dated:
                raise Wrong(f"{path}: Repr-Digest of 206: {a['repr-digest']}, not {whole['repr-digest']}")
        elif a.status not in (200, 206):
            raise Wrong(f"{path}: Range: {a.status} {a.why}")


class Client(threading.Thread):
    """Asks until it is told to stop."""

    def __init__(self, number, checked, groups, pause):
        super().__init__(daemon=True)
        self.checked, self.pause = checked, pause
        self.source = random.Random(number)
        self.paths = checked.content.paths(*groups)
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            try:
                self._once()
            except Wrong as e:
                self.checked.tally.fail(f"{self.checked.transport.source}: {e}")
            except Exception as e:  # pylint: disable=broad-except
                self.checked.tally.fail(f"{self.checked.transport.source}: {e!r}")
            self.stopped.wait(self.pause)
        self.checked.transport.close()

    def _once(self):
        path = self.source.choice(self.paths)
        coding = self.source.choice(("identity", "gzip", "br", "zstd"))
        kind = self.source.randrange(10)
        if kind == 0:
            self.checked.head(path, coding)
        elif kind <= 2:
            self.checked.revalidate(path, coding)
        elif kind == 3:
            self.checked.range(path, coding, self.source)
        else:
            self.checked.get(path, coding)
