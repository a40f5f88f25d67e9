"""Publishes to a queue, each message when the one before is confirmed, or (`--final`) takes everything out of it; prints the history.

Like an application, it declares its queue whenever it connects, and goes to the next node when one fails.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systems", "shared"))
from amqp import Connection, Refused
from history import Operation

# How a queue of each kind is declared: whether it is durable, and its arguments. It is named after its kind; that `mirrored` is mirrored, a
# policy says (definitions.json.in).
KINDS = {
    "quorum": (True, {"x-queue-type": "quorum"}),
    "mirrored": (True, {"x-queue-type": "classic"}),
    "transient": (False, {"x-queue-type": "classic"}),
}
# Longer than it takes nodes to miss each other (net_ticktime): a part that is cut off may go on by itself.
TIMEOUT_SECONDS = 10
PAUSE_SECONDS = 0.1
FINAL_SECONDS = 40


class Client:
    def __init__(self, hosts, kind):
        self.hosts, self.kind = hosts, kind
        self.connection = None

    def connect(self):
        if self.connection is None:
            connection = Connection(self.hosts[0], TIMEOUT_SECONDS)
            connection.declare(self.kind, *KINDS[self.kind])
            self.connection = connection
        return self.connection

    def give_up(self):
        """The next attempt is at the next node."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None
        self.hosts = self.hosts[1:] + self.hosts[:1]

    def publish(self, number):
        operation = Operation("client", "enqueue", value=number)
        try:
            connection = self.connect()
        except (OSError, Refused) as error:
            operation.fail(error)
            self.give_up()
            return
        try:
            durable, _ = KINDS[self.kind]
            connection.publish(self.kind, b"message-%d" % number, persistent=durable)
        # A message that is refused may have reached some of the replicas.
        except (OSError, Refused) as error:
            operation.info(error)
            self.give_up()
        else:
            operation.ok()

    def drain(self):
        """Until the queue is empty, or there is no time left."""
        deadline = time.monotonic() + FINAL_SECONDS
        while time.monotonic() < deadline:
            operation = Operation("final", "dequeue")
            try:
                body = self.connect().get(self.kind)
            except (OSError, Refused) as error:
                operation.info(error)
                self.give_up()
                time.sleep(PAUSE_SECONDS)
                continue
            if body is None:
                operation.ok(value=None)
                return
            operation.ok(value=int(body.removeprefix(b"message-")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hosts", nargs="+", metavar="HOST")
    parser.add_argument("--queue", choices=sorted(KINDS), default="quorum", help="the kind of queue")
    parser.add_argument("--messages", type=int, default=3, metavar="N")
    parser.add_argument("--final", action="store_true")
    arguments = parser.parse_args()
    client = Client(arguments.hosts, arguments.queue)
    if arguments.final:
        client.drain()
        return
    for number in range(1, arguments.messages + 1):
        client.publish(number)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
