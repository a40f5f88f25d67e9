"""Writes a register at one node after the other, and reads it at every node; prints the history."""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systems", "shared"))
from history import Operation
from rpc import Lost, Refused, call

TIMEOUT_SECONDS = 3


def write(node, value):
    operation = Operation("client", "write", value=value)
    try:
        reply = call(node, {"type": "write", "value": value}, TIMEOUT_SECONDS)
    except Refused as error:
        operation.fail(error)
    except Lost as error:
        operation.info(error)
    else:
        # A write that was not confirmed in time may be committed later.
        operation.ok() if reply["type"] == "written" else operation.info(reply["error"])


def read(node):
    operation = Operation("client", "read")
    try:
        reply = call(node, {"type": "read"}, TIMEOUT_SECONDS)
    except (Refused, Lost) as error:
        operation.fail(error)
    else:
        operation.ok(value=reply["value"]) if reply["type"] == "value" else operation.fail(reply["error"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="+", metavar="HOST:PORT")
    parser.add_argument("--writes", type=int, default=2, metavar="N")
    arguments = parser.parse_args()
    for number in range(1, arguments.writes + 1):
        write(arguments.nodes[number % len(arguments.nodes)], f"value-{number}")
        for node in arguments.nodes:
            read(node)


if __name__ == "__main__":
    main()
