"""A lock service that hands out leases: a lock is lost when its time is over, so a dead holder blocks nobody for long.

Each lease carries a fencing token, larger than every token before.
"""

import argparse
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from durable import Log
from rpc import serve

LEASE_SECONDS = 0.3


class Lock:
    def __init__(self, data):
        self.lock = threading.Lock()
        self.tokens = Log(data, "tokens")
        self.token = max((record["token"] for record in self.tokens.records), default=0)
        self.holder = None
        # After a restart, nobody knows who holds the last lease: it has run out after this long.
        self.free_at = time.monotonic() + (LEASE_SECONDS if self.token else 0)

    def answer(self, request):
        with self.lock:
            if request["type"] == "acquire":
                return self.acquire(request["holder"])
            if self.holder == request["holder"] and self.token == request["token"]:
                self.holder, self.free_at = None, 0
            return {"type": "released"}

    def acquire(self, holder):
        now = time.monotonic()
        if now < self.free_at:
            return {"type": "taken"}
        self.tokens.append({"token": self.token + 1})
        self.token += 1
        self.holder, self.free_at = holder, time.monotonic() + LEASE_SECONDS
        return {"type": "granted", "token": self.token}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    arguments = parser.parse_args()
    serve(arguments.listen, Lock(arguments.data).answer)


if __name__ == "__main__":
    main()
