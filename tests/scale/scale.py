"""scale.py - `make scale-test`: three replicas of the real binary behind HAProxy, two behind Varnish, 20 clients, and all that
happens to replicas: killed, drained, upgraded, a failing disk, other content. No request may fail; docs/scale.md."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from checks import Agreement, addresses, want_none
from clients import Checked, Client, Curl, Http1, Tally, Wrong
from content import Content
from processes import Failed, Haproxy, Replica, Varnish, adopt_orphans, wait_for

CLIENTS = 20


def certificate(folder):
    """One for all: its own authority."""
    pem, key = (os.path.join(folder, n) for n in ("site.crt", "site.key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", key, "-out", pem, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    both = os.path.join(folder, "site.pem")
    with open(both, "wb") as out:
        for name in (pem, key):
            with open(name, "rb") as f:
                out.write(f.read())
    return both, pem


class Run:
    def __init__(self, folder, content, names, options):
        self.folder, self.content = folder, content
        self.tally, self.clients = Tally(), []
        self.replicas = [Replica(n, os.path.join(folder, n), options) for n in names]
        for number, r in enumerate(self.replicas):
            content.copy_to(r.folder, number)
            r.configure()
            r.publish("v1")

    def start_replicas(self):
        for r in self.replicas:
            r.start()

    def load(self, client):
        """`client(number)` makes a transport and its pause."""
        for n in range(1, CLIENTS + 1):
            transport, groups, pause = client(n, f"127.1.0.{n}")
            self.clients.append(Client(n, Checked(transport, self.content, self.tally), groups, pause))
        for c in self.clients:
            c.start()

    def allow_dated(self, allowed):
        for c in self.clients:
            c.checked.dated = allowed

    def event(self, name, happens, may_cut=False):
        """Counts what the clients saw meanwhile, and a while longer: slow ones notice an end late."""
        self.tally.cuts.clear()
        before, began = self.tally.now(), time.monotonic()
        happens()
        time.sleep(5 if may_cut else 1)
        after = self.tally.now()
        seen = {k: after[k] - before[k] for k in after}
        print(f"  {name:<42} {seen['requests']:>7} requests {seen['failures']:>3} failed {seen['resumed']:>4} resumed"
              f" {time.monotonic() - began:>6.1f} s", flush=True)
        if seen["resumed"] and not may_cut:
            self.tally.fail(f"{name}: {seen['resumed']} responses ended early: {self.tally.cuts}")

    def tell_failures(self):
        for what in self.tally.failed[:20]:
            print("  FAILED: " + what)

    def stop_load(self):
        for c in self.clients:
            c.stopped.set()
        for c in self.clients:
            c.join()
        self.clients = []

    def finish(self, title, front):
        self.stop_load()
        count = addresses(self.replicas)
        t = self.tally.now()
        print(f"{title}: {t['requests']} requests, {t['failures']} failures, {t['bytes']} bytes compared, {t['validators']} validators"
              f" and {t['digests']} digests compared, {t['resumed']} resumed ({t['resumed_whole']} of them from the beginning), "
              f"{t['not_modified']} not modified, {count} client addresses right", flush=True)
        if t["failures"]:
            print("".join("    " + line + "\n" for line in front.log().splitlines()[-15:]))
        return t["failures"] == 0

    def stop(self):
        for r in self.replicas:
            r.stop()


# ---- what happens to replicas ----

def killed(r, front):
    r.kill()
    front.await_down(r.name)
    r.start()
    front.await_up(r.name)


def drained(r, front):
    r.signal(signal.SIGQUIT)
    wait_for("/readyz says it", lambda: r.ready() == 503)
    front.await_down(r.name)
    if r.ready() != 503:
        raise Failed("the balancer looked away after the port was closed only: drain_delay is too short")
    r.await_end()
    r.start()
    front.await_up(r.name)


def upgraded(replicas, front):
    for r in replicas:
        r.upgrade()
        front.await_up(r.name)


def disk_failing(r, front):
    r.break_disk(True)
    front.await_down(r.name)
    r.break_disk(False)
    front.await_up(r.name)


def replaced_first(run, agreement):
    """One replica is ahead of the others for a while."""
    run.allow_dated(True)
    for n, r in enumerate(run.replicas):
        r.publish("v2")
        r.reload()
        if n == 0:
            agreement.changed(1, 0, "/large/1.bin")
            time.sleep(2)
    time.sleep(1)
    run.allow_dated(False)


def events(run, front, agreement, with_disk):
    a, b, last = run.replicas[0], run.replicas[1], run.replicas[-1]
    run.event("load alone", lambda: time.sleep(2))
    run.event(f"{a.name} killed, and started again", lambda: killed(a, front), True)
    run.event(f"{b.name} drained, and started again", lambda: drained(b, front))
    run.event("all upgraded, one after the other", lambda: upgraded(run.replicas, front))
    if with_disk:
        run.event(f"{last.name}'s disk fails for a while", lambda: disk_failing(last, front), True)
    run.event(f"{a.name}'s content is replaced, then the others'", lambda: replaced_first(run, agreement))


# ---- the two fronts ----

ALL = ("small", "page", "middle", "large", "huge")


def behind_haproxy(folder, content, options, pem, authority, http2):
    run, front = Run(folder, content, "abc", options), Haproxy(os.path.join(folder, "haproxy"))

    def client(n, source):
        if n <= 10:
            return Http1(front.port, source), ALL, 0.02
        if n <= 12:  # slow ones, which an end meets in the middle
            return Http1(front.port, source, pause=0.01), ("large", "huge"), 0.02
        if n <= 16:
            return Http1(front.secure, source, authority), ALL, 0.02
        return Curl(front.secure, source, authority, folder), ALL, 0.05

    try:
        run.start_replicas()
        agreement = Agreement(run.replicas, content, run.tally)
        if not http2:
            agreement.all()
            want_none(agreement.plain[0], "/small/0.html")
        front.start(run.replicas, pem, authority, http2)
        run.load(client)
        events(run, front, agreement, not http2)
        return run.finish("HAProxy, HTTP/2 to the replicas" if http2 else "HAProxy", front)
    finally:
        run.stop_load()
        run.tell_failures()
        run.stop()
        front.stop()


def behind_varnish(folder, content, options):
    options = dict(options, http="add_header Cache-Control max-age=1;")
    run, front = Run(folder, content, "ab", options), Varnish(os.path.join(folder, "varnish"))

    def client(n, source):
        if n <= 14:
            return Http1(front.port, source), ALL, 0.02
        if n <= 16:
            return Http1(front.port, source, pause=0.01), ("large", "huge"), 0.02
        return Curl(front.port, source, None, folder), ALL, 0.05

    try:
        run.start_replicas()
        front.start(run.replicas)
        run.load(client)
        events(run, front, Agreement(run.replicas, content, run.tally), True)
        return run.finish("Varnish", front)
    finally:
        run.stop_load()
        run.tell_failures()
        run.stop()
        front.stop()


def main():
    missing = [p for p in ("haproxy", "varnishd", "curl", "openssl") if not shutil.which(p)]
    if missing:
        print(f"scale-test is left out: no {', '.join(missing)} here (mk/deps.sh --scale)")
        return 77
    adopt_orphans()
    folder = tempfile.mkdtemp(prefix="sluice-scale.", dir=os.environ.get("SCALE_DIR") or None)
    os.chmod(folder, 0o755)
    good = False
    try:
        pem, authority = certificate(folder)
        options = {"sluice": os.path.abspath(os.environ["SLUICE"]), "preload": os.path.abspath(os.environ["SCALE_PRELOAD"]),
                   "certificate": pem, "http": "", "codings": "gzip_static on; brotli_static on; zstd_static on; small_file_cache off;"}
        content = Content(os.path.join(folder, "content"), options["sluice"], int(os.environ.get("SCALE_MIB") or 1024))
        fronts = (os.environ.get("SCALE_FRONTS") or "haproxy haproxy-h2 varnish").split()
        runs = {"haproxy": lambda to: behind_haproxy(to, content, options, pem, authority, False),
                "haproxy-h2": lambda to: behind_haproxy(to, content, options, pem, authority, True),
                "varnish": lambda to: behind_varnish(to, content, options)}
        good = all([runs[name](os.path.join(folder, name)) for name in fronts])
    except (Failed, Wrong) as e:
        print(f"scale-test: {e}")
    finally:
        if good or not os.environ.get("SCALE_KEEP"):
            shutil.rmtree(folder)
        else:
            print("scale-test: left in " + folder)
    return 0 if good else 1


sys.exit(main())
