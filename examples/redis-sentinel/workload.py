"""Writes to one key through the primary that Sentinel names, or (`--final`) reads it once more; prints the history."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systems", "shared"))
from history import Operation
from resp import Connection, RedisError, primary

KEY = "x"


class Client:
    """Keeps its connection until it fails, and asks Sentinel for the primary then, as clients of Redis do."""

    def __init__(self, sentinels):
        self.sentinels = sentinels
        self.connection = None

    def connect(self):
        if self.connection is None:
            address = primary(self.sentinels)
            if address is None:
                raise ConnectionError("no Sentinel answers")
            self.connection = Connection(*address)
        return self.connection

    def run(self, operation, *words):
        """Whether the command was answered; the operation is completed accordingly."""
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
            if words[0] == "GET":
                operation.ok(value=None if reply is None else int(reply))
            else:
                operation.ok()
            return True
        connection.close()
        self.connection = None
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentinels", nargs="+", metavar="HOST")
    parser.add_argument("--writes", type=int, default=1, metavar="N")
    parser.add_argument("--final", action="store_true")
    arguments = parser.parse_args()
    client = Client(arguments.sentinels)
    if arguments.final:
        for _ in range(50):
            if client.run(Operation("final", "read", key=KEY, final=True), "GET", KEY):
                return
            time.sleep(0.1)
        return
    for value in range(1, arguments.writes + 1):
        client.run(Operation("client", "write", key=KEY, value=value), "SET", KEY, value)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
