"""The coordinator of two-phase commit, with presumed abort.

A commit is on the coordinator's disk before anyone hears of it; what is not there, after a crash, was aborted. README.md shows
the protocol; `--log late` breaks it.
"""

import argparse
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from concurrent.futures import ThreadPoolExecutor
from durable import Log
from rpc import background, log, serve, try_call

VOTE_SECONDS = 0.6
REPEAT_SECONDS = 0.05


class Coordinator:
    def __init__(self, listen, participants, data, log_late):
        self.host = listen.rsplit(":", 1)[0]
        self.participants, self.log_late = participants, log_late
        self.lock = threading.Lock()
        self.log = Log(data, "commits")
        self.committed = {record["transaction"] for record in self.log.records}
        self.undecided = set()
        self.pool = ThreadPoolExecutor(max_workers=2 * len(participants))
        for transaction in sorted(self.committed):
            background(self.tell_until_acknowledged, transaction, "commit")

    def answer(self, request):
        if request["type"] == "begin":
            return self.begin(request["transaction"])
        return {"type": "outcome", "outcome": self.outcome(request["transaction"])}

    def outcome(self, transaction):
        """What participants are told that ask. No trace of a transaction means abort: see `begin`."""
        with self.lock:
            if transaction in self.undecided:
                return "undecided"
            return "commit" if transaction in self.committed else "abort"

    def begin(self, transaction):
        with self.lock:
            self.undecided.add(transaction)
        votes = self.pool.map(lambda participant: self.vote(participant, transaction), self.participants)
        outcome = "commit" if all(votes) else "abort"
        if outcome == "commit" and self.log_late:
            self.tell(transaction, "commit", self.participants)
        with self.lock:
            if outcome == "commit":
                self.log.append({"transaction": transaction})
                self.committed.add(transaction)
            self.undecided.discard(transaction)
        background(self.tell_until_acknowledged, transaction, outcome)
        return {"type": "outcome", "outcome": outcome}

    def vote(self, participant, transaction):
        """Whether a participant votes yes in time. It may be asked again: its first answer binds it."""
        deadline = time.monotonic() + VOTE_SECONDS
        while time.monotonic() < deadline:
            request = {"type": "prepare", "transaction": transaction}
            reply = try_call(participant, request, source=self.host)
            if reply:
                return reply["vote"] == "yes"
            time.sleep(REPEAT_SECONDS)
        return False

    def tell(self, transaction, outcome, participants):
        """Tells participants the outcome, one after the other; returns those that did not acknowledge."""
        request = {"type": "decide", "transaction": transaction, "outcome": outcome}
        return [each for each in participants if not try_call(each, request, source=self.host)]

    def tell_until_acknowledged(self, transaction, outcome):
        participants = self.participants
        while participants:
            participants = self.tell(transaction, outcome, participants)
            time.sleep(REPEAT_SECONDS)
        log(f"{transaction}: everyone knows of the {outcome}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--participant", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--log", default="first", choices=["first", "late"])
    arguments = parser.parse_args()
    late = arguments.log == "late"
    coordinator = Coordinator(arguments.listen, arguments.participant, arguments.data, late)
    serve(arguments.listen, coordinator.answer)


if __name__ == "__main__":
    main()
