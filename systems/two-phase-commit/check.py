"""Atomic commitment: nobody commits what another aborts, and nobody who promised waits for ever.

A participant in doubt is excused while its coordinator is down: two-phase commit can do no better. Exit status: 0 atomic, 1 not, 2 no
participant has heard of it, so nothing was asked of the protocol.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from rpc import try_call


def survey(arguments, transaction):
    """Who answers -> what state the transaction is in there."""
    states = {}
    for participant in arguments.participants:
        reply = try_call(participant, {"type": "state", "transaction": transaction})
        if reply:
            states[participant] = reply["state"]
    reply = try_call(arguments.coordinator, {"type": "inquire", "transaction": transaction})
    return states, reply["outcome"] if reply else None


def settled(arguments, transaction, seconds=1.5):
    """The states when nobody is in doubt any more, or after so long."""
    deadline = time.monotonic() + seconds
    while True:
        states, outcome = survey(arguments, transaction)
        if "prepared" not in states.values() or outcome is None or time.monotonic() > deadline:
            return states, outcome
        time.sleep(0.05)


def judge(arguments, transaction):
    """Whether the transaction is atomic; `None` if no participant has heard of it."""
    states, outcome = settled(arguments, transaction)
    for participant, state in states.items():
        print(f"{transaction}: {state} at {participant}")
    print(f"{transaction}: {outcome or 'no answer'} at the coordinator")
    if set(states.values()) <= {"unknown"}:
        return None
    known = set(states.values()) | {outcome}
    if {"commit", "abort"} <= known:
        print(f"{transaction}: committed here and aborted there")
        return False
    if "prepared" in known and outcome is not None:
        print(f"{transaction}: in doubt, though the coordinator is up")
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("coordinator", metavar="HOST:PORT")
    parser.add_argument("participants", nargs="+", metavar="HOST:PORT")
    parser.add_argument("--transactions", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    names = [f"transfer-{number}" for number in range(1, arguments.transactions + 1)]
    verdicts = [judge(arguments, name) for name in names]
    if False in verdicts:
        return 1
    if True not in verdicts:
        print("no participant has heard of a transaction")
        return 2
    print("every transaction ended the same way everywhere")
    return 0


if __name__ == "__main__":
    sys.exit(main())
