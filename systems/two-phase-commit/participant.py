"""A participant of two-phase commit.

A vote of yes is a promise: from then on only the coordinator knows the outcome, and a participant that does not hear it asks.
README.md shows the protocol; `--in-doubt abort` and `--in-doubt wait` break it.
"""

import argparse
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from durable import Log
from rpc import background, log, serve, try_call

PATIENCE_SECONDS = 0.25  # in doubt, before doing something about it
REPEAT_SECONDS = 0.05


class Participant:
    def __init__(self, listen, coordinator, data, in_doubt):
        self.host = listen.rsplit(":", 1)[0]
        self.coordinator, self.in_doubt = coordinator, in_doubt
        self.lock = threading.Lock()
        # Transaction -> "prepared", "commit" or "abort": the last record of each is its state.
        self.log = Log(data, "transactions")
        self.states = {record["transaction"]: record["state"] for record in self.log.records}
        for transaction, state in sorted(self.states.items()):
            if state == "prepared":
                background(self.resolve, transaction)

    def answer(self, request):
        transaction = request["transaction"]
        if request["type"] == "prepare":
            return {"type": "vote", "vote": self.prepare(transaction)}
        if request["type"] == "decide":
            self.decide(transaction, request["outcome"])
            return {"type": "acknowledge"}
        with self.lock:
            return {"type": "state", "state": self.states.get(transaction, "unknown")}

    def record(self, transaction, state):
        """On disk first, then in memory. The lock is held."""
        self.log.append({"transaction": transaction, "state": state})
        self.states[transaction] = state

    def prepare(self, transaction):
        with self.lock:
            if transaction not in self.states:
                self.record(transaction, "prepared")
                background(self.resolve, transaction)
            return "no" if self.states[transaction] == "abort" else "yes"

    def decide(self, transaction, outcome):
        with self.lock:
            if self.states.get(transaction) not in ("commit", "abort"):
                self.record(transaction, outcome)

    def is_in_doubt(self, transaction):
        with self.lock:
            return self.states[transaction] == "prepared"

    def resolve(self, transaction):
        """What a participant does that has promised and hears nothing."""
        time.sleep(PATIENCE_SECONDS)
        if self.in_doubt == "abort" and self.is_in_doubt(transaction):
            log(f"{transaction}: no outcome in time, aborting")
            self.decide(transaction, "abort")
        while self.in_doubt == "ask" and self.is_in_doubt(transaction):
            request = {"type": "inquire", "transaction": transaction}
            reply = try_call(self.coordinator, request, source=self.host)
            if reply and reply["outcome"] != "undecided":
                self.decide(transaction, reply["outcome"])
            time.sleep(REPEAT_SECONDS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--coordinator", required=True, metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--in-doubt", default="ask", choices=["ask", "wait", "abort"])
    arguments = parser.parse_args()
    participant = Participant(arguments.listen, arguments.coordinator, arguments.data, arguments.in_doubt)
    serve(arguments.listen, participant.answer)


if __name__ == "__main__":
    main()
