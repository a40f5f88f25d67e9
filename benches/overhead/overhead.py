#!/usr/bin/env python3
"""What tracing costs: the same program untraced, under `linchpin trace`, and under strace.

    cargo build --release && benches/overhead/overhead.py [--linchpin PATH] [--repeat N]

Everything runs on one processor, server and client alike: on two, the time to wake the other one
hides what is measured. What is compared is the processor time of program, tracer and client
together, which is what the run would take on that processor alone, whatever else the machine does.
The ways take turns; printed are medians of the ratios of neighbouring runs, in Markdown.
"""
import argparse
import contextlib
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = (
    "network,read,write,readv,writev,close,sendfile,pipe,pipe2,dup,dup2,dup3,fcntl,"
    "clone,clone3,fork,vfork,execve,exit,exit_group,wait4,waitid,fsync,fdatasync"
)
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def ways(linchpin):
    """Prefixes of a command, the untraced one first."""
    null = ["-o", "/dev/null"]
    return {
        "untraced": [],
        "linchpin trace": [linchpin, "trace", "--quiet", "--"],
        "strace -f --seccomp-bpf, the same calls": ["strace", "-f", "--seccomp-bpf", "-e", f"trace={CALLS}", *null],
        "strace -f": ["strace", "-f", *null],
    }


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def redis(prefix):
    """A redis-server, ready, in a folder of its own."""
    port = str(free_port())
    with tempfile.TemporaryDirectory() as place:
        command = [*prefix, "redis-server", "--port", port, "--save", "", "--appendonly", "no", "--dir", place]
        server = subprocess.Popen(command, cwd=place, **QUIET)
        try:
            for _ in range(1000):
                ping = subprocess.run(["redis-cli", "-p", port, "ping"], capture_output=True)
                if ping.stdout == b"PONG\n":
                    break
                time.sleep(0.02)
            yield port
        finally:
            subprocess.run(["redis-cli", "-p", port, "shutdown", "nosave"], **QUIET)
            server.wait(60)


def processor_seconds():
    """Of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def redis_seconds(clients, operation, count):
    """What so many operations cost: a whole life of the server, less one without them."""

    def life(prefix, count):
        began = processor_seconds()
        with redis(prefix) as port:
            if count:
                command = ["redis-benchmark", "-p", port, "-c", str(clients), "-n", str(count), "-t", operation, "-q"]
                subprocess.run(command, check=True, **QUIET)
        return processor_seconds() - began

    return lambda prefix: life(prefix, count) - life(prefix, 0)


def seconds_of(*command):
    def measure(prefix):
        began = processor_seconds()
        subprocess.run([*prefix, *command], check=True, **QUIET)
        return processor_seconds() - began

    return measure


FILES = """
import os, tempfile
with tempfile.TemporaryDirectory() as place:
    for i in range(5000):
        with open(f"{place}/{i % 10}", "wb", 0) as file: file.write(b"x")
        with open(f"{place}/{i % 10}", "rb", 0) as file: file.read()
"""
COMPUTE = "sum(i * i for i in range(6_000_000))"
PING_PONG = """
import os, socket
one, other = socket.socketpair()
count = 10000
if os.fork() == 0:
    for _ in range(count):
        other.send(other.recv(10))
    os._exit(0)
for _ in range(count):
    one.send(b"ping")
    one.recv(10)
os.wait()
"""


def cases():
    python = [sys.executable, "-S", "-E", "-c"]
    yield "no networking (computation)", seconds_of(*python, COMPUTE)
    yield "files: 10,000 opened, read or written", seconds_of(*python, FILES)
    yield "ping-pong, both sides traced", seconds_of(*python, PING_PONG)
    if shutil.which("java"):
        yield "JVM, 200 connections, 400 threads", seconds_of("java", os.path.join(HERE, "Threads.java"))
    if shutil.which("redis-benchmark"):
        for clients in (1, 20):
            for operation in ("set", "get"):
                name = f"Redis {operation.upper()}, {clients} client{'s' if clients > 1 else ''}"
                yield name, redis_seconds(clients, operation, 10000)


def stops_per_operation(linchpin):
    """Stops of a whole run of redis-server with many operations, less one with none, each."""
    found = {}
    for count in (0, 10000):
        port = str(free_port())
        with tempfile.TemporaryDirectory() as place:
            command = [linchpin, "trace", "--format", "json", "--", "redis-server", "--port", port, "--save", "", "--dir", place]
            server = subprocess.Popen(command, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            while subprocess.run(["redis-cli", "-p", port, "ping"], capture_output=True).stdout != b"PONG\n":
                time.sleep(0.05)
            if count:
                subprocess.run(["redis-benchmark", "-p", port, "-c", "20", "-n", str(count), "-t", "set", "-q"], check=True, **QUIET)
            subprocess.run(["redis-cli", "-p", port, "shutdown", "nosave"], **QUIET)
            out, _ = server.communicate(timeout=120)
            found[count] = int(re.search(rb'"stops":(\d+)', out).group(1))
    return (found[10000] - found[0]) / 10000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--linchpin", default=os.path.join(HERE, "../../target/release/linchpin"))
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    linchpin = os.path.abspath(arguments.linchpin)
    compared = {name: way for name, way in ways(linchpin).items() if not way or shutil.which(way[0])}
    names = list(compared)[1:]
    print("| program | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names), flush=True)
    for case, measure in cases():
        ratios = {name: [] for name in names}
        for _ in range(arguments.repeat):
            seconds = {name: measure(way) for name, way in compared.items()}
            for name in names:
                ratios[name].append(seconds[name] / seconds["untraced"])
        cells = [f"{statistics.median(ratios[name]):.2f}" for name in names]
        print(f"| {case} | " + " | ".join(cells) + " |", flush=True)
    if shutil.which("redis-benchmark"):
        print(f"\nStops per Redis operation (20 clients, SET): {stops_per_operation(linchpin):.2f}")


if __name__ == "__main__":
    main()
