"""processes.py - the programs under test: replicas, HAProxy, Varnish. Each has a folder, ports, and an end."""
import ctypes
import http.client
import os
import re
import signal
import socket
import subprocess
import time

LIMIT = 120  # seconds: what is waited for has happened by then, on a slow machine too
held = []   # ports that were given out


class Failed(Exception):
    pass


def adopt_orphans():
    """A new binary's master outlives its parent, and becomes this process's child."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def free_port():
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in held:
            held.append(port)
            return port


def wait_for(what, happened):
    until = time.monotonic() + LIMIT
    while not happened():
        if time.monotonic() > until:
            raise Failed(f"waited {LIMIT} s in vain: {what}")
        time.sleep(0.05)


def replaced(text, *pairs):
    for old, new in pairs:
        if old not in text:
            raise Failed(f'the example has no "{old}"')
        text = text.replace(old, new)
    return text


def example(name):
    with open(os.path.join("conf/examples", name), encoding="utf-8") as f:
        return f.read()


def is_alive(pid):
    try:
        os.waitpid(pid, os.WNOHANG)  # an orphan of ours, perhaps
    except ChildProcessError:
        pass
    return os.path.exists(f"/proc/{pid}")


class Replica:
    def __init__(self, name, folder, options):
        self.name, self.folder, self.options = name, folder, options
        self.proxied, self.secure, self.plain, self.dated = (free_port() for _ in range(4))
        for d in ("logs", "releases"):
            os.makedirs(os.path.join(folder, d))
        self.fault = os.path.join(folder, "fault")
        with open(self.fault, "wb") as f:
            f.write(b"\0" * 4096)
        self.pid = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self):
        """The example, with this replica's paths and ports, and a server whose tags are made of times."""
        text = replaced(
            example("replica.conf"),
            ("worker_processes auto;", "worker_processes 2; daemon off;"),
            ("/var/log/sluice/access.log replica;", self.path("logs/access.log") + " checked;"),
            ("    log_format replica", "    log_format checked '$remote_addr $http_x_client $status $request_method "
             "$server_protocol $request_uri';\n    log_format replica"),
            ("/var/log/sluice/error.log;", self.path("logs/error.log") + " notice;"), ("/run/sluice.pid", self.path("logs/sluice.pid")),
            ("include mime.types;", f"include {os.path.abspath('conf/mime.types')};\n    {self.options['http']}"),
            ("/srv/files", self.path("current")), ("/etc/sluice/replica.pem", self.options["certificate"]),
            ("listen 8080", f"listen 127.0.0.1:{self.proxied}"), ("listen 8443", f"listen 127.0.0.1:{self.secure}"),
            ("listen 8081", f"listen 127.0.0.1:{self.plain}"), ("gzip_static on;", self.options["codings"]), ("aio on;", "aio threads;"))
        big = self.path("releases/big")
        root = f"root {self.path('current')};"
        text = text[:text.rindex("}")] + f"    server {{ listen 127.0.0.1:{self.dated}; etag on; {root} }}\n}}\n"
        text = text.replace(root, f"{root} location /big/ {{ alias {big}/; digest_manifest {big}/SHA256SUMS; }}")
        with open(self.path("sluice.conf"), "w", encoding="utf-8") as f:
            f.write(text)

    def publish(self, release):
        link = self.path("current.new")
        os.symlink("releases/" + release, link)
        os.rename(link, self.path("current"))

    def start(self):
        env = dict(os.environ, LD_PRELOAD=self.options["preload"], SCALE_FAULT=self.fault)
        log = open(self.path("logs/stderr"), "ab")
        p = subprocess.Popen([self.options["sluice"], "-p", self.folder, "-c", self.path("sluice.conf")],
                             env=env, stderr=log, start_new_session=True)
        self.pid = self.group = p.pid
        wait_for(f"replica {self.name} starts", lambda: self.ready() == 200)

    def ready(self, port=None):
        """The status of /readyz, 0: none."""
        c = http.client.HTTPConnection("127.0.0.1", port or self.plain, timeout=10)
        try:
            c.request("GET", "/readyz", headers={"X-Client": "127.0.0.1"})
            return c.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            c.close()

    def signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        os.killpg(self.group, signal.SIGKILL)
        wait_for(f"replica {self.name} is gone", lambda: not is_alive(self.pid))

    def await_end(self):
        wait_for(f"replica {self.name} ends", lambda: not is_alive(self.pid))

    def read_pid(self):
        try:
            with open(self.path("logs/sluice.pid"), encoding="ascii") as f:
                return int(f.read() or 0)
        except OSError:
            return 0

    def upgrade(self):
        """To the same binary: USR2, and QUIT for the old master once the new one serves."""
        old = self.pid
        self.signal(signal.SIGUSR2)
        wait_for(f"a new master of replica {self.name}", lambda: self.read_pid() not in (0, old))
        wait_for(f"replica {self.name} is ready", lambda: self.ready() == 200)
        self.signal(signal.SIGQUIT)
        self.await_end()
        self.pid = self.read_pid()

    def reload(self):
        before = self.errors().count("gracefully shutting down")
        self.signal(signal.SIGHUP)
        wait_for(f"replica {self.name} reloads",
                 lambda: self.errors().count("gracefully shutting down") > before)

    def break_disk(self, broken):
        with open(self.fault, "r+b") as f:
            f.write(b"\1" if broken else b"\0")

    def errors(self):
        with open(self.path("logs/error.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def lines(self):
        try:
            with open(self.path("logs/access.log"), encoding="utf-8", errors="replace") as f:
                return f.read().splitlines()
        except OSError:
            return []

    def stop(self):
        if self.pid and is_alive(self.pid):
            os.killpg(self.group, signal.SIGKILL)
            self.await_end()


class Front:
    """A program in the foreground, in front of the replicas."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *argv):
        log = open(self.path("log"), "ab")
        self.process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def await_up(self, name):
        wait_for(f"{type(self).__name__} has {name} up", lambda: self.is_up(name))

    def await_down(self, name):
        wait_for(f"{type(self).__name__} has {name} down", lambda: self.is_down(name))

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Haproxy(Front):
    def start(self, replicas, certificate, authority, http2):
        """`http2`: to the replicas, too."""
        self.port, self.secure = free_port(), free_port()
        text = replaced(
            example("haproxy.cfg"), ("/run/haproxy/admin.sock mode 660", self.path("socket") + " mode 600"),
            ("log /dev/log local0", "log stdout format raw local0"), ("bind :80\n", f"bind 127.0.0.1:{self.port}\n"),
            ("bind :443", f"bind 127.0.0.1:{self.secure}"), ("/etc/haproxy/www.pem", certificate),
            ("/etc/haproxy/replicas-ca.pem", authority))
        if http2:
            text = replaced(text, (" ssl alpn http/1.1 ", " ssl alpn h2 check-alpn http/1.1 "))
        for n, r in enumerate(replicas):
            text = replaced(text, (f"10.0.0.{11 + n}:8080", f"127.0.0.1:{r.proxied}"),
                            (f"10.0.0.{11 + n}:8443", f"127.0.0.1:{r.secure}"))
        with open(self.path("haproxy.cfg"), "w", encoding="utf-8") as f:
            f.write(text)
        self.run("haproxy", "-db", "-f", self.path("haproxy.cfg"))
        for r in replicas:
            self.await_up(r.name)

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path("socket"))
            s.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def states(self, name):
        """Of both backends: whether up or down, and what the last check found."""
        try:
            rows = [row.split(",") for row in self.ask("show stat").splitlines()]
        except OSError:
            return []
        return [(row[17], row[36].removeprefix("* ")) for row in rows if len(row) > 36 and row[1] == name]

    def is_up(self, name):
        """HAProxy takes a server to be up before its first check."""
        return self.states(name) == [("UP", "L7OK")] * 2

    def is_down(self, name):
        return [state.split(" ")[0] for state, _ in self.states(name)] == ["DOWN"] * 2


class Varnish(Front):
    def start(self, replicas):
        self.port = free_port()
        text = example("varnish.vcl")
        for n, r in enumerate(replicas):
            text = replaced(text, (f'"10.0.0.{11 + n}"; .port = "8081"', f'"127.0.0.1"; .port = "{r.plain}"'))
        with open(self.path("varnish.vcl"), "w", encoding="utf-8") as f:
            f.write(text)
        self.run("varnishd", "-F", "-n", self.path("work"), "-a", f"127.0.0.1:{self.port}", "-f", self.path("varnish.vcl"),
                 "-s", "malloc,128m", "-p", "feature=+http2", "-p", "http_gzip_support=off")
        for r in replicas:
            self.await_up(r.name)

    def state(self, name):
        said = subprocess.run(["varnishadm", "-n", self.path("work"), "backend.list"], capture_output=True, text=True, check=False)
        row = re.search(rf"^\S*\.{name}\s+\S+\s+\S+\s+(\w+)", said.stdout, re.M)
        return row[1] if row else ""

    def is_up(self, name):
        return self.state(name) == "healthy"

    def is_down(self, name):
        return self.state(name) == "sick"
