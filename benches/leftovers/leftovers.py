#!/usr/bin/env python3
"""Many short traces, some killed at random moments: what do they leave behind?

    cargo build --release && benches/leftovers/leftovers.py [--linchpin PATH] [--traces 300] [--seed 1]

Traces take turns: a tree of processes with pipes, a server and a client over TCP, three nodes of a
cluster file in network namespaces. One in three is ended early, at a moment chosen at random, by
SIGKILL, SIGTERM or SIGINT. After each: no process that carries the trace's mark in its environment. At
the end, after one more whole run: no mount of a namespace, no network interface, no file in the folder
for temporary files. Prints what it found, as one line of JSON; exits with 1 if anything was left.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLUSTER = os.path.join(HERE, "../../crates/cluster/tests/clusters/broadcast/cluster.toml")
MARK = "LINCHPIN_LEFTOVERS"
TREE = "for i in 1 2 3; do (setsid sleep 0.05 &); echo $i | cat | (read x; sleep 0.02); done; sleep 0.1"
PAIR = """
import os, socket
listener = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    with socket.create_connection(listener.getsockname()) as client:
        for i in range(50):
            client.sendall(b"ping")
            client.recv(10)
    os._exit(0)
server, _ = listener.accept()
while data := server.recv(10): server.sendall(data)
os.wait()
"""


def commands(linchpin, scratch):
    return [
        [linchpin, "trace", "--quiet", "--", "sh", "-c", TREE],
        [linchpin, "trace", "--quiet", "--", "/usr/bin/python3", "-S", "-E", "-c", PAIR],
        [linchpin, "trace", CLUSTER, "--out", os.path.join(scratch, "out")],
    ]


def processes():
    return [name for name in os.listdir("/proc") if name.isdigit()]


def marked(mark):
    """Processes that carry a mark in their environment."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for process in processes():
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found.append(process)
        except OSError:
            pass
    return found


def mounts():
    """Mounts that keep a namespace alive without a process."""
    with open("/proc/self/mountinfo") as file:
        return sum(" nsfs " in line for line in file)


def links():
    """Network interfaces of this namespace."""
    return sorted(os.listdir("/sys/class/net"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--linchpin", default=os.path.join(HERE, "../../target/release/linchpin"))
    parser.add_argument("--traces", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    left = {"processes": 0, "namespaces": 0, "interfaces": 0, "files": 0}
    ended = {"by itself": 0, "SIGKILL": 0, "SIGTERM": 0, "SIGINT": 0}
    longest_ms = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        temporary = os.path.join(scratch, "tmp")
        os.mkdir(temporary)
        ways = commands(os.path.abspath(arguments.linchpin), scratch)
        before, mounted = links(), mounts()

        def start(way, mark):
            environment = {**os.environ, "TMPDIR": temporary, MARK: mark}
            null = subprocess.DEVNULL
            return subprocess.Popen(ways[way], env=environment, stdin=null, stdout=null, stderr=null)

        for number in range(arguments.traces):
            mark = f"{os.getpid()}-{number}"
            running = start(number % 3, mark)
            if chance.randrange(3) == 0:
                name = chance.choice(["SIGKILL", "SIGTERM", "SIGINT"])
                time.sleep(chance.random() * 0.5)
                running.send_signal(getattr(signal, name))
            else:
                name = "by itself"
            running.wait(60)
            ended[name] += 1
            began = time.monotonic()
            while marked(mark) and time.monotonic() - began < 5:
                time.sleep(0.002)
            longest_ms = max(longest_ms, (time.monotonic() - began) * 1e3)
            left["processes"] += len(marked(mark))
        start(2, "last").wait(60)
        left["files"] = len(os.listdir(temporary))
        left["interfaces"] = len(set(links()) - set(before))
        # A namespace lives while a process is in it (none is left) or a mount refers to it.
        left["namespaces"] = max(0, mounts() - mounted) + len(marked("last"))
    print(json.dumps({"traces": arguments.traces, "ended": ended, "left": left, "last_process_gone_after_ms": round(longest_ms, 1)}))
    sys.exit(1 if any(left.values()) else 0)


if __name__ == "__main__":
    main()
