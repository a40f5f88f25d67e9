"""A durable queue that delivers at least once.

A message that is handed to a consumer stays in the queue, hidden for a while, until the consumer acknowledges it; if it does
not, the message is handed out again.

What was put is on the disk before the client is told. `--sync` says otherwise: `late`, some time after; `unchecked`, or not at all,
where the disk fails.
"""

import argparse
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from durable import Log
from rpc import serve

HIDDEN_SECONDS = 0.3


class Broker:
    def __init__(self, data, sync):
        self.lock = threading.Lock()
        # {"put": "m1"} or {"done": "m1"}. What is put again is the same message.
        self.log = Log(data, "messages", sync)
        self.waiting = {}
        self.known = set()
        for record in self.log.records:
            self.apply(record)

    def apply(self, record):
        if "put" in record:
            self.known.add(record["put"])
            # Message -> when it may be handed out.
            self.waiting[record["put"]] = 0.0
        else:
            self.waiting.pop(record["done"], None)

    def answer(self, request):
        with self.lock:
            if request["type"] == "put":
                if request["message"] not in self.known:
                    self.record({"put": request["message"]})
                return {"type": "stored"}
            if request["type"] == "take":
                return self.take()
            if request["type"] == "acknowledge":
                if request["message"] in self.waiting:
                    self.record({"done": request["message"]})
                return {"type": "removed"}
            return {"type": "count", "count": len(self.waiting)}

    def record(self, record):
        self.log.append(record)
        self.apply(record)

    def take(self):
        now = time.monotonic()
        for message, visible_at in self.waiting.items():
            if visible_at <= now:
                self.waiting[message] = now + HIDDEN_SECONDS
                return {"type": "message", "message": message}
        return {"type": "nothing"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--sync", default="always", choices=["always", "late", "unchecked"])
    arguments = parser.parse_args()
    serve(arguments.listen, Broker(arguments.data, arguments.sync).answer)


if __name__ == "__main__":
    main()
