"""Writes to one key, one value after the other, or (`--final`) reads it once more; prints the history."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from history import Operation
from rpc import Lost, Refused, call

KEY = "x"


def ask_primary(replicas, request, seconds):
    """The reply of whoever is primary. A replica that is not primary, or cannot be reached, has done nothing: ask on.

    Raises `Refused` if there was no primary in time, `Lost` if one may have done it.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for replica in replicas:
            try:
                reply = call(replica, request, timeout=0.6)
            except Refused:
                continue
            if reply["type"] != "not-primary":
                return reply
        time.sleep(0.02)
    raise Refused("no primary")


def operate(replicas, operation, request, seconds):
    try:
        reply = ask_primary(replicas, request, seconds)
    except Refused as error:
        operation.fail(error)
        return False
    except Lost as error:
        operation.info(error)
        return False
    if reply["type"] == "unknown":
        operation.info("not replicated in time")
        return False
    if reply["type"] == "value":
        operation.ok(value=reply["value"])
    else:
        operation.ok()
    return True


def final_read(replicas):
    """Tries until a primary answers, for some seconds."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        operation = Operation("final", "read", key=KEY, final=True)
        if operate(replicas, operation, {"type": "read", "key": KEY}, seconds=1):
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("replicas", nargs="+", metavar="HOST:PORT")
    parser.add_argument("--writes", type=int, default=2, metavar="N")
    parser.add_argument("--final", action="store_true")
    arguments = parser.parse_args()
    if arguments.final:
        final_read(arguments.replicas)
        return
    for value in range(1, arguments.writes + 1):
        request = {"type": "write", "key": KEY, "value": value}
        operate(arguments.replicas, Operation("client", "write", key=KEY, value=value), request, seconds=2)


if __name__ == "__main__":
    main()
