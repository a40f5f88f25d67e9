"""A member of a group that broadcasts messages reliably over UDP.

Agreement: what one correct member delivers, every correct member delivers. UDP loses, duplicates and reorders datagrams, and
members crash. README.md shows the protocols that `--protocol` chooses from.
"""

import argparse
import json
import os
import select
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from durable import Log
from rpc import address, log

REPEAT_SECONDS = 0.03


class Member:
    def __init__(self, listen, peers, data, protocol):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address(listen))
        self.peers = [address(peer) for peer in peers]
        self.protocol = protocol
        # Delivered means on the disk: a member that restarts is still a member that delivered.
        self.log = Log(data, "delivered")
        self.delivered = {record["text"] for record in self.log.records}
        # (peer, text) that the peer is not known to have.
        self.owed = set()
        if protocol == "acknowledged":
            for text in self.delivered:
                self.owe(text)

    def run(self):
        repeat_at = time.monotonic() + REPEAT_SECONDS
        while True:
            wait = max(0.0, repeat_at - time.monotonic())
            readable, _, _ = select.select([self.socket], [], [], wait)
            if readable:
                self.receive()
            if time.monotonic() >= repeat_at:
                self.repeat()
                repeat_at = time.monotonic() + REPEAT_SECONDS

    def receive(self):
        try:
            datagram, sender = self.socket.recvfrom(65536)
            message = json.loads(datagram)
            kind = message["type"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            # The echo of a datagram to a peer that is down, or bytes that are no message.
            log(f"ignored: {error!r}")
            return
        if kind == "announce":
            self.deliver(message["text"], announced=True)
            self.send(sender, {"type": "announced", "text": message["text"]})
        elif kind == "copy":
            self.deliver(message["text"], announced=False)
            self.send(sender, {"type": "acknowledge", "text": message["text"]})
        elif kind == "acknowledge":
            self.owed.discard((sender, message["text"]))
        elif kind == "list":
            self.send(sender, {"type": "delivered", "texts": sorted(self.delivered)})

    def deliver(self, text, announced):
        """Delivers a message once, and passes it on as the protocol has it."""
        if text in self.delivered:
            return
        self.log.append({"text": text})
        self.delivered.add(text)
        if self.protocol == "simple" and announced or self.protocol == "classic":
            for peer in self.peers:
                self.send(peer, {"type": "copy", "text": text})
        elif self.protocol == "retry" and announced or self.protocol == "acknowledged":
            self.owe(text)
            self.repeat()

    def owe(self, text):
        self.owed.update((peer, text) for peer in self.peers)

    def repeat(self):
        """Sends again what has not been acknowledged."""
        for peer, text in sorted(self.owed):
            self.send(peer, {"type": "copy", "text": text})

    def send(self, to, message):
        try:
            self.socket.sendto(json.dumps(message).encode(), to)
        except OSError as error:
            log(f"cannot send to {to}: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--peer", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument(
        "--protocol", default="acknowledged", choices=["acknowledged", "retry", "classic", "simple"]
    )
    arguments = parser.parse_args()
    member = Member(arguments.listen, arguments.peer, arguments.data, arguments.protocol)
    log(f"listening on {arguments.listen}")
    member.run()


if __name__ == "__main__":
    main()
