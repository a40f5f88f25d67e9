"""Puts messages into the queue and stays until it is empty, or (`--final`) waits until it is empty and reads the store; prints the
history."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from history import Operation
from rpc import Lost, Refused, call, try_call


def put(broker, count):
    for number in range(1, count + 1):
        value = f"message-{number}"
        operation = Operation("client", "add", key="store", value=value)
        try:
            call(broker, {"type": "put", "message": value}, timeout=1)
        except Refused as error:
            operation.fail(error)
        except Lost as error:
            operation.info(error)
        else:
            operation.ok()


def wait_until_empty(broker, seconds=1.5):
    """The consumers are at work: so are faults, until the workload ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        left = try_call(broker, {"type": "count"})
        if left and left["count"] == 0:
            return
        time.sleep(0.05)


def final_read(broker, store, seconds=3):
    """What is still in the queue is not lost, only late: the store is read when the queue is empty."""
    operation = Operation("final", "read", key="store", final=True)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        left = try_call(broker, {"type": "count"})
        if left and left["count"] == 0:
            reply = try_call(store, {"type": "list"})
            if reply:
                operation.ok(value=reply["messages"])
                return
        time.sleep(0.05)
    operation.fail("the queue does not become empty, or broker or store do not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("broker", metavar="HOST:PORT")
    parser.add_argument("store", nargs="?", metavar="HOST:PORT", help="with --final")
    parser.add_argument("--messages", type=int, default=2, metavar="N")
    parser.add_argument("--final", action="store_true")
    arguments = parser.parse_args()
    if arguments.final:
        final_read(arguments.broker, arguments.store)
    else:
        put(arguments.broker, arguments.messages)
        wait_until_empty(arguments.broker)


if __name__ == "__main__":
    main()
