"""Writes a key and reads it, at one member of etcd after the other, through its JSON gateway; prints the history."""

import argparse
import base64
import json
import os
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systems", "shared"))
from history import Operation

KEY = "x"
TIMEOUT_SECONDS = 3


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def post(host, path, body):
    request = urllib.request.Request(f"http://{host}:2379/v3/kv/{path}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:
        return json.load(reply)


def write(host, value):
    operation = Operation("client", "write", key=KEY, value=value)
    try:
        post(host, "put", {"key": encoded(KEY), "value": encoded(value)})
    # An error status may come from a proposal that timed out and is committed later.
    except (OSError, ValueError) as error:
        if refused(error):
            operation.fail(error)
        else:
            operation.info(error)
    else:
        operation.ok()


def read(host, serializable):
    operation = Operation("client", "read", key=KEY)
    try:
        reply = post(host, "range", {"key": encoded(KEY), "serializable": serializable})
    except (OSError, ValueError) as error:
        operation.fail(error)
    else:
        values = [base64.b64decode(pair["value"]).decode() for pair in reply.get("kvs", [])]
        operation.ok(value=values[0] if values else None)


def refused(error):
    return isinstance(getattr(error, "reason", error), ConnectionRefusedError)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("members", nargs="+", metavar="HOST")
    parser.add_argument("--writes", type=int, default=2, metavar="N")
    parser.add_argument("--serializable", action="store_true", help="read what the member has, without asking the others")
    arguments = parser.parse_args()
    for number in range(1, arguments.writes + 1):
        write(arguments.members[number % len(arguments.members)], f"value-{number}")
        for member in arguments.members:
            read(member, arguments.serializable)


if __name__ == "__main__":
    main()
