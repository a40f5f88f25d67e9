"""Adds elements to the list for its clients: takes the lock, reads the list, writes it back with one element more."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from rpc import serve, try_call

ADD_SECONDS = 2.5


class Worker:
    def __init__(self, listen, lock, storage):
        self.name = listen
        self.host = listen.rsplit(":", 1)[0]
        self.lock, self.storage = lock, storage

    def ask(self, to, message):
        return try_call(to, message, timeout=0.5, source=self.host)

    def answer(self, request):
        deadline = time.monotonic() + ADD_SECONDS
        while time.monotonic() < deadline:
            if self.try_to_add(request["value"]):
                return {"type": "added"}
            time.sleep(0.02)
        return {"type": "unknown"}

    def try_to_add(self, value):
        """Whether the element certainly is in the list. If not it may be, so the next attempt looks first."""
        lease = self.ask(self.lock, {"type": "acquire", "holder": self.name})
        if not lease or lease["type"] != "granted":
            return False
        token = lease["token"]
        added = self.add_as_holder(value, token)
        self.ask(self.lock, {"type": "release", "holder": self.name, "token": token})
        return added

    def add_as_holder(self, value, token):
        reply = self.ask(self.storage, {"type": "read", "token": token})
        if not reply or reply["type"] != "list":
            return False
        if value in reply["list"]:
            return True
        changed = reply["list"] + [value]
        reply = self.ask(self.storage, {"type": "write", "token": token, "list": changed})
        return bool(reply and reply["type"] == "written")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--lock", required=True, metavar="HOST:PORT")
    parser.add_argument("--storage", required=True, metavar="HOST:PORT")
    arguments = parser.parse_args()
    worker = Worker(arguments.listen, arguments.lock, arguments.storage)
    serve(arguments.listen, worker.answer)


if __name__ == "__main__":
    main()
