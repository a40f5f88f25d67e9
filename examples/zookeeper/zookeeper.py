"""A client of ZooKeeper in a page: requests and replies are framed by their length, and written in Jute: integers big-endian,
strings and buffers behind their length (ZooKeeper Programmer's Guide; zookeeper.jute)."""

import socket
import struct

CREATE, GET_DATA, SET_DATA, SYNC = 1, 4, 5, 9
NO_NODE = -101
EVERYONE_MAY_DO_EVERYTHING = struct.pack(">ii", 1, 31)  # one entry, all permissions, of world:anyone


class ZooKeeperError(Exception):
    """The server answered with an error code: the request took no effect."""

    def __init__(self, code):
        super().__init__(f"error {code}")
        self.code = code


def buffer(data):
    return struct.pack(">i", len(data)) + data


def text(string):
    return buffer(string.encode())


class Session:
    """A session with one server."""

    def __init__(self, host, timeout):
        self.socket = socket.create_connection((host, 2181), timeout)
        self.file = self.socket.makefile("rb")
        self.number = 0
        # Protocol version, last transaction seen, session time-out in milliseconds, no session before, no password.
        self.send(struct.pack(">iqiq", 0, 0, 10_000, 0) + buffer(bytes(16)) + b"\0")
        self.receive()

    def send(self, payload):
        self.socket.sendall(buffer(payload))

    def receive(self):
        head = self.file.read(4)
        if len(head) < 4:
            raise ConnectionError("the connection ended before the reply")
        (length,) = struct.unpack(">i", head)
        payload = self.file.read(length)
        if len(payload) < length:
            raise ConnectionError("the connection ended within the reply")
        return payload

    def call(self, kind, body):
        self.number += 1
        self.send(struct.pack(">ii", self.number, kind) + body)
        payload = self.receive()
        _, _, error = struct.unpack(">iqi", payload[:16])
        if error:
            raise ZooKeeperError(error)
        return payload[16:]

    def create(self, path, data):
        world = EVERYONE_MAY_DO_EVERYTHING + text("world") + text("anyone")
        self.call(CREATE, text(path) + buffer(data) + world + struct.pack(">i", 0))

    def set(self, path, data):
        self.call(SET_DATA, text(path) + buffer(data) + struct.pack(">i", -1))

    def get(self, path):
        """The data of a node, `None` if there is no such node."""
        try:
            payload = self.call(GET_DATA, text(path) + b"\0")
        except ZooKeeperError as error:
            if error.code == NO_NODE:
                return None
            raise
        (length,) = struct.unpack(">i", payload[:4])
        return payload[4 : 4 + length]

    def sync(self, path):
        """Returns when this server has seen all that was committed before."""
        self.call(SYNC, text(path))
