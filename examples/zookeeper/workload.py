"""Writes a node at one server and reads it at every server, each through a session of its own; prints the history."""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systems", "shared"))
from history import Operation
from zookeeper import Session, ZooKeeperError

PATH = "/x"
TIMEOUT_SECONDS = 3


class Server:
    """Keeps its session until it fails."""

    def __init__(self, host):
        self.host, self.session = host, None

    def connect(self):
        if self.session is None:
            self.session = Session(self.host, TIMEOUT_SECONDS)
        return self.session

    def greet(self):
        try:
            self.connect()
        except OSError as error:
            print(f"{self.host}: no session: {error}", file=sys.stderr)

    def write(self, value):
        operation = Operation("client", "write", key=PATH, value=value)
        try:
            session = self.connect()
        except OSError as error:
            operation.fail(error)
            return
        try:
            self.put(session, value.encode())
        except ZooKeeperError as error:
            operation.fail(error)
        except OSError as error:
            self.session = None
            operation.info(error)
        else:
            operation.ok()

    def put(self, session, data):
        try:
            session.set(PATH, data)
        except ZooKeeperError:
            session.create(PATH, data)

    def read(self, sync):
        operation = Operation("client", "read", key=PATH)
        try:
            session = self.connect()
            if sync:
                session.sync(PATH)
            data = session.get(PATH)
        except (OSError, ZooKeeperError) as error:
            self.session = None
            operation.fail(error)
        else:
            operation.ok(value=None if data is None else data.decode())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("servers", nargs="+", metavar="HOST")
    parser.add_argument("--writes", type=int, default=2, metavar="N")
    parser.add_argument("--sync", action="store_true", help="before each read")
    arguments = parser.parse_args()
    servers = [Server(host) for host in arguments.servers]
    # Sessions first: a server that is cut off lets nobody begin one, for that takes a quorum.
    for server in servers:
        server.greet()
    for number in range(1, arguments.writes + 1):
        servers[1].write(f"value-{number}")
        for server in servers:
            server.read(arguments.sync)


if __name__ == "__main__":
    main()
