"""Writes through the primary that Sentinel names, or (`--final`) reads what is there; prints the history.

Each write is of a key of its own, or, with `--push`, of an element of one list: so later writes do not hide that an earlier one is lost.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systems", "shared"))
from history import Operation
from resp import Connection, RedisError, primary

LIST = "list"
PAUSE_SECONDS = 0.1
FINAL_SECONDS = 15


class Client:
    """Keeps its connection until it fails, and asks Sentinel for the primary then, as clients of Redis do."""

    def __init__(self, sentinels):
        self.sentinels = sentinels
        self.connection = None
        self.deadline = time.monotonic() + FINAL_SECONDS

    def connect(self):
        if self.connection is None:
            address = primary(self.sentinels)
            if address is None:
                raise ConnectionError("no Sentinel answers")
            self.connection = Connection(*address)
        return self.connection

    def run(self, operation, *words, value=None):
        """Whether the command was answered; the operation is completed accordingly. `value` makes of the
        answer what was read."""
        try:
            connection = self.connect()
        except OSError as error:
            operation.fail(error)
            return False
        try:
            reply = connection.call(*words)
        except RedisError as error:
            operation.fail(error)
        except OSError as error:
            operation.info(error)
        else:
            if operation.operation == "read":
                operation.ok(value=value(reply))
            else:
                operation.ok()
            return True
        connection.close()
        self.connection = None
        return False

    def insist(self, *words, key, value):
        """A final read: tried until it succeeds, or there is no time left for any."""
        while time.monotonic() < self.deadline:
            if self.run(Operation("final", "read", key=key, final=True), *words, value=value):
                return
            time.sleep(PAUSE_SECONDS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentinels", nargs="+", metavar="HOST")
    parser.add_argument("--writes", type=int, default=1, metavar="N")
    parser.add_argument("--push", action="store_true", help="onto a list")
    parser.add_argument("--final", action="store_true")
    arguments = parser.parse_args()
    client = Client(arguments.sentinels)
    if arguments.final and arguments.push:
        client.insist("LRANGE", LIST, 0, -1, key=LIST, value=list)
        return
    for number in range(1, arguments.writes + 1):
        key, value = f"x{number}", f"value-{number}"
        if arguments.final:
            client.insist("GET", key, key=key, value=lambda reply: reply)
            continue
        if arguments.push:
            client.run(Operation("client", "add", key=LIST, value=value), "RPUSH", LIST, value)
        else:
            client.run(Operation("client", "write", key=key, value=value), "SET", key, value)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
