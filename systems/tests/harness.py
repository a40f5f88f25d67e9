"""Runs a cluster file on loopback, with faults placed by hand: signals, and proxies between nodes.

This is no fault injector: it knows the messages of the systems here, and stands between them where a test asks for it. The systems
themselves know nothing of it.
"""

import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib

SYSTEMS = pathlib.Path(__file__).resolve().parent.parent
LINCHPIN = os.environ.get("LINCHPIN", "linchpin")
START_SECONDS = 20

_experiments = itertools.count()


def seconds(text):
    match = re.fullmatch(r"([0-9.]+)(ms|s)", text)
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


class Link:
    """What one node sends another by TCP or UDP, seen message by message. Replies go back untouched, unless cut."""

    def __init__(self, listen, target):
        self.listen, self.target = listen, target
        self.rules = []
        self.seen = {}
        self.lock = threading.Lock()
        self.closing = False
        self.up = threading.Event()
        self.up.set()
        self.tcp = socket.create_server(listen)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(listen)
        # Closing a socket does not wake a thread that waits on it.
        self.tcp.settimeout(0.1)
        self.udp.settimeout(0.1)
        threading.Thread(target=self.accept, daemon=True).start()
        threading.Thread(target=self.datagrams, daemon=True).start()

    def on(self, label, number, action):
        """Calls `action` when the message of this label arrives for the n-th time (`None`: every time), before it is passed
        on. It may sleep, which delays the message; return "lose", and the message is not passed on (its sender died before
        it was sent, or it is a datagram); or return a function to call right after it was passed on."""
        self.rules.append((label, number, action))

    def cut(self):
        """From now on nothing gets through; connections are neither refused nor closed."""
        self.up.clear()

    def heal(self):
        self.up.set()

    def decide(self, data):
        label = re.search(rb'"type": ?"([a-z-]+)"', data)
        label = label[1].decode() if label else ""
        with self.lock:
            self.seen[label] = count = self.seen.get(label, 0) + 1
        for rule, number, action in self.rules:
            if rule == label and number in (None, count):
                return action()
        return None

    def accept(self):
        while not self.closing:
            try:
                connection, _ = self.tcp.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(None)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            self.up.wait()
            try:
                request = connection.makefile("rb").readline()
                if not request:
                    return
                then = self.decide(request)
                self.up.wait()
                if then == "lose":
                    return
                with socket.create_connection(self.target, 5) as onward:
                    onward.sendall(request)
                    if callable(then):
                        then()
                    reply = onward.makefile("rb").readline()
                    self.up.wait()
                    connection.sendall(reply)
            except OSError:
                return

    def datagrams(self):
        onward = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        onward.connect(self.target)
        sender = None

        def back():
            while not self.closing:
                try:
                    data = onward.recv(65536)
                except OSError:
                    time.sleep(0.01)
                    continue
                if self.up.is_set() and sender:
                    self.udp.sendto(data, sender)

        threading.Thread(target=back, daemon=True).start()
        while not self.closing:
            try:
                data, sender = self.udp.recvfrom(65536)
                then = self.decide(data)
                if then != "lose" and self.up.is_set():
                    onward.send(data)
                if callable(then):
                    then()
            except OSError:
                continue
        onward.close()

    def close(self):
        self.closing = True
        self.up.set()
        self.tcp.close()
        self.udp.close()


class Cluster:
    """A cluster file, started. Use as a context: every process is gone when it ends."""

    def __init__(self, file, links=(), parameters=None):
        self.file = SYSTEMS / file
        self.description = tomllib.loads(self.file.read_text())
        self.workdir = pathlib.Path(tempfile.mkdtemp(prefix="linchpin-systems-"))
        number = next(_experiments)
        process = os.getpid()
        self.network = f"127.{64 + (process >> 8) % 128}.{process & 255}"
        self.hosts = itertools.count(1 + 24 * (number % 10))
        self.nodes = {name: f"{self.network}.{next(self.hosts)}" for name in self.description["nodes"]}
        self.parameters = {name: values[0] for name, values in self.workload().get("parameters", {}).items()}
        self.parameters.update(parameters or {})
        self.links = {
            (source, target): Link((f"{self.network}.{next(self.hosts)}", 7000), (self.nodes[target], 7000))
            for source, target in links
        }
        self.processes = {}
        # A rule may start a node when the experiment has just ended.
        self.starting = threading.Lock()
        self.ended = False
        self.output = ""

    def workload(self):
        return self.description["workload"]

    def link(self, source, target):
        return self.links[source, target]

    def fill(self, text, viewer):
        """A template as `viewer` (a node, or `client`) sees it: what goes over a link has the link's address."""

        def value(match):
            name = match[1]
            if name == "dir":
                return str(self.file.parent)
            if name == "data":
                return str(self.workdir / viewer)
            if name == "address":
                return self.nodes[viewer]
            if name.startswith("node.") and name.endswith(".address"):
                target = name.split(".")[1]
                link = self.links.get((viewer, target))
                return link.listen[0] if link else self.nodes[target]
            if name.startswith("parameter."):
                return str(self.parameters[name.split(".", 1)[1]])
            raise KeyError(name)

        return re.sub(r"\{([a-z0-9.]+)\}", value, text)

    def command(self, words, viewer):
        words = [self.fill(word, viewer) for word in words]
        return [sys.executable, *words[1:]] if words[0] == "python3" else words

    def __enter__(self):
        try:
            for name in self.description["nodes"]:
                self.start(name)
            time.sleep(seconds(self.description["steps"]["settle"]))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with self.starting:
            self.ended = True
            for process in self.processes.values():
                process.kill()
                process.wait()
        for link in self.links.values():
            link.close()
        shutil.rmtree(self.workdir)

    def start(self, name):
        node = self.description["nodes"][name]
        for earlier in node.get("after", []):
            assert earlier in self.processes, f"{name} is to start after {earlier}"
        log = self.workdir / f"{name}.log"
        begin = log.stat().st_size if log.exists() else 0
        with self.starting, open(log, "ab") as file:
            if self.ended:
                return
            self.processes[name] = subprocess.Popen(self.command(node["command"], name), stdout=file, stderr=file)
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready(name, node["ready"], log, begin):
            assert self.processes[name].poll() is None, f"{name} ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"{name} is not ready:\n{log.read_text()}"
            time.sleep(0.02)

    def is_ready(self, name, ready, log, begin):
        if "log" in ready:
            return re.search(ready["log"], log.read_text()[begin:]) is not None
        try:
            socket.create_connection((self.nodes[name], ready["port"]), 1).close()
            return True
        except OSError:
            return False

    # Faults

    def crash(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def crash_before_sending(self, name):
        """For a rule: what the node was about to send is never sent."""
        self.crash(name)
        return "lose"

    def restart(self, name):
        self.crash(name)
        self.start(name)

    def stop(self, name):
        self.processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name):
        self.processes[name].send_signal(signal.SIGCONT)

    def pause(self, name, duration):
        self.stop(name)
        time.sleep(duration)
        self.resume(name)

    # The experiment

    def run(self, words, timeout):
        command = self.command(words, "client")
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds(timeout), check=False)

    def work(self):
        """Runs the workload; its output is the beginning of the history."""
        result = self.run(self.workload()["command"], self.workload()["timeout"])
        assert result.returncode == 0, result.stderr
        self.output += result.stdout

    def judge(self):
        """Heals, waits, and asks the invariant: "good", "bad", "vacuous" or "inconclusive"."""
        for link in self.links.values():
            link.heal()
        time.sleep(seconds(self.description["steps"]["quiesce"]))
        invariant = self.description["invariant"]
        if "command" in invariant:
            result = self.run(invariant["command"], invariant["timeout"])
            self.output += result.stdout + result.stderr
            return {0: "good", 1: "bad", 2: "vacuous"}.get(result.returncode, "inconclusive")
        result = self.run(invariant["final"]["command"], invariant["timeout"])
        assert result.returncode == 0, result.stderr
        self.output += result.stdout
        checks = ",".join(invariant["history"])
        command = [LINCHPIN, "history", "-", "--check", checks, "--format", "json"]
        result = subprocess.run(command, input=self.output, capture_output=True, text=True, check=False)
        assert result.returncode in (0, 1, 3), result.stderr
        report = json.loads(result.stdout)
        self.output += json.dumps(report, indent=1)
        return "inconclusive" if report["verdict"] == "unknown" else report["verdict"]

    def logs(self):
        texts = [f"{log.name}: {log.read_text()}" for log in sorted(self.workdir.glob("*.log"))]
        return "\n".join([*texts, self.output])


def experiment(file, links=(), faults=None, parameters=None):
    """The outcome of one run, and all that was printed. `faults` places faults in the started cluster; it may return what
    to do after the workload, before healing."""
    with Cluster(file, links, parameters) as cluster:
        after = faults(cluster) if faults else None
        cluster.work()
        if after:
            after()
        return cluster.judge(), cluster.logs()
