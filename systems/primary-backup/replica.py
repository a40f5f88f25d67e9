"""A replica of a key-value store: primary or backup, as the monitor says.

Writes are ordered by the primary of an *epoch*, in a log that a majority of the replicas has on disk before the client is
told. README.md shows the protocol; `--acknowledge early` breaks it.
"""

import argparse
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from durable import Log
from rpc import background, log, serve, try_call

BATCH_SECONDS = 0.03  # between the writes and their copies, where the client does not wait for them


class Replica:
    """State that survives a crash is in two logs, replayed at the start:

    `epochs`   the epochs promised to the monitor: {"epoch": 3}
    `entries`  the log of writes, with what replaced it: {"at": 4, "epoch": 3, "key": "x", "value": 1} sets entry 4 and
               drops those after it
    """

    def __init__(self, listen, peers, data, acknowledge_early):
        self.listen, self.peers, self.acknowledge_early = listen, peers, acknowledge_early
        self.host = listen.rsplit(":", 1)[0]
        self.lock = threading.Lock()
        self.epochs, self.entries = Log(data, "epochs"), Log(data, "entries")
        self.epoch = max((record["epoch"] for record in self.epochs.records), default=0)
        self.log = []
        for record in self.entries.records:
            self.log[record["at"] :] = [record]
        self.is_primary = False

    def answer(self, request):
        handlers = {
            "write": self.write,
            "read": self.read,
            "replicate": self.replicate,
            "prepare": self.prepare,
            "promote": self.promote,
            "ping": self.ping,
        }
        return handlers[request["type"]](request)

    # Clients

    def write(self, request):
        with self.lock:
            if not self.is_primary:
                return {"type": "not-primary"}
            self.append({"key": request["key"], "value": request["value"]})
            at, epoch = len(self.log), self.epoch
        if self.acknowledge_early:
            background(self.commit_later, at, epoch)
            return {"type": "written"}
        return {"type": "written"} if self.commit(at, epoch) else {"type": "unknown"}

    def read(self, request):
        """Reads what was committed by a no-op of its own: so no newer primary can have written in between."""
        with self.lock:
            if not self.is_primary:
                return {"type": "not-primary"}
            self.append({"key": None, "value": None})
            at, epoch = len(self.log), self.epoch
            values = [entry["value"] for entry in self.log if entry["key"] == request["key"]]
        if not self.commit(at, epoch):
            return {"type": "unknown"}
        return {"type": "value", "value": values[-1] if values else None}

    # The primary

    def append(self, entry):
        """Adds an entry to the log, on disk. The lock is held."""
        record = {"at": len(self.log), "epoch": self.epoch, **entry}
        self.entries.append(record)
        self.log.append(record)

    def commit(self, at, epoch):
        """Copies the first `at` entries to the backups; true once a majority, the primary included, has them."""
        done = threading.Semaphore(0)
        copied = []

        def copy(peer):
            if self.copy(peer, at, epoch):
                copied.append(peer)
            done.release()

        for peer in self.peers:
            background(copy, peer)
        for _ in self.peers:
            done.acquire()
            if self.is_majority(1 + len(copied)):
                return True
        return False

    def commit_later(self, at, epoch):
        time.sleep(BATCH_SECONDS)
        self.commit(at, epoch)

    def copy(self, peer, at, epoch, attempts=5):
        """Copies entries to one backup: first the last one, then, if entries before it are missing there, all."""
        first = at - 1
        for _ in range(attempts):
            with self.lock:
                if not self.is_primary or self.epoch != epoch:
                    return False
                entries = self.log[first:at]
                before = self.log[first - 1]["epoch"] if first > 0 else 0
            request = {"type": "replicate", "epoch": epoch, "first": first, "before": before, "entries": entries}
            reply = try_call(peer, request, source=self.host)
            if reply is None:
                continue
            if reply["type"] == "stored":
                return True
            if reply["type"] == "superseded":
                self.step_down(reply["epoch"])
                return False
            first = 0
        return False

    def is_majority(self, count):
        return count > (len(self.peers) + 1) // 2

    def step_down(self, epoch):
        with self.lock:
            if epoch > self.epoch:
                log(f"{self.listen}: epoch {epoch} has another primary")
                self.is_primary = False

    # Backups

    def replicate(self, request):
        """Stores entries of the primary, unless there is a newer one, or entries before them are missing here."""
        with self.lock:
            if request["epoch"] < self.epoch:
                return {"type": "superseded", "epoch": self.epoch}
            if request["epoch"] > self.epoch:
                self.enter(request["epoch"])
            first = request["first"]
            if first > len(self.log) or (first > 0 and self.log[first - 1]["epoch"] != request["before"]):
                return {"type": "missing"}
            for at, entry in enumerate(request["entries"], first):
                if at >= len(self.log) or self.log[at]["epoch"] != entry["epoch"]:
                    self.entries.append(entry)
                    self.log[at:] = [entry]
            return {"type": "stored"}

    def enter(self, epoch):
        """Promises to take no entries of an older epoch. The lock is held."""
        self.epochs.append({"epoch": epoch})
        self.epoch = epoch
        self.is_primary = False

    # The monitor

    def prepare(self, request):
        with self.lock:
            if request["epoch"] <= self.epoch:
                return {"type": "superseded", "epoch": self.epoch}
            self.enter(request["epoch"])
            last = self.log[-1]["epoch"] if self.log else 0
            return {"type": "prepared", "last": last, "length": len(self.log)}

    def promote(self, request):
        """Becomes primary, once a majority has its log."""
        with self.lock:
            if request["epoch"] != self.epoch:
                return {"type": "superseded", "epoch": self.epoch}
            if not self.is_primary:
                self.is_primary = True
                self.append({"key": None, "value": None})
            at, epoch = len(self.log), self.epoch
        background(self.commit, at, epoch)
        log(f"{self.listen}: primary of epoch {epoch}")
        return {"type": "promoted"}

    def ping(self, _):
        return {"type": "pong", "epoch": self.epoch, "primary": self.is_primary}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--peer", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--acknowledge", default="replicated", choices=["replicated", "early"])
    arguments = parser.parse_args()
    early = arguments.acknowledge == "early"
    replica = Replica(arguments.listen, arguments.peer, arguments.data, early)
    serve(arguments.listen, replica.answer)


if __name__ == "__main__":
    main()
