"""A client of RabbitMQ in two pages: AMQP 0-9-1 over a socket (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf), with
publisher confirms (https://www.rabbitmq.com/docs/confirms). One channel, one thing at a time."""

import socket
import struct

METHOD, HEADER, BODY = 1, 2, 3
FRAME_END = 0xCE
CONNECTION_START, CONNECTION_START_OK, CONNECTION_TUNE, CONNECTION_TUNE_OK = (10, 10), (10, 11), (10, 30), (10, 31)
CONNECTION_OPEN, CONNECTION_OPEN_OK, CONNECTION_CLOSE = (10, 40), (10, 41), (10, 50)
CONNECTION_BLOCKED, CONNECTION_UNBLOCKED = (10, 60), (10, 61)
CHANNEL_OPEN, CHANNEL_OPEN_OK, CHANNEL_CLOSE = (20, 10), (20, 11), (20, 40)
QUEUE_DECLARE, QUEUE_DECLARE_OK = (50, 10), (50, 11)
BASIC_PUBLISH, BASIC_RETURN, BASIC_GET, BASIC_GET_OK, BASIC_GET_EMPTY = (60, 40), (60, 50), (60, 70), (60, 71), (60, 72)
BASIC_ACK, BASIC_NACK = (60, 80), (60, 120)
CONFIRM_SELECT, CONFIRM_SELECT_OK = (85, 10), (85, 11)
DURABLE = 2
MANDATORY = 1
BASIC_CLASS = 60
DELIVERY_MODE = 1 << 12
CHANNEL = 1
CHANNELS_MAX, FRAME_BYTES_MAX, NO_HEARTBEAT = 1, 131_072, 0


class Refused(Exception):
    """The broker answered with an error: the request took no effect."""


def short_string(text):
    data = text.encode()
    return bytes([len(data)]) + data


def long_string(data):
    return struct.pack(">I", len(data)) + data


def table(fields):
    """A field table of strings."""
    return long_string(b"".join(short_string(name) + b"S" + long_string(value.encode()) for name, value in fields.items()))


def frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + bytes([FRAME_END])


def method(number, arguments, channel=CHANNEL):
    return frame(METHOD, channel, struct.pack(">HH", *number) + arguments)


class Connection:
    """A connection with one channel, on which the broker confirms what is published."""

    def __init__(self, host, timeout, port=5672):
        self.socket = socket.create_connection((host, port), timeout)
        self.file = self.socket.makefile("rb")
        self.published = 0
        self.socket.sendall(b"AMQP\0\0\x09\x01")
        self.expect(CONNECTION_START)
        login = table({}) + short_string("PLAIN") + long_string(b"\0guest\0guest") + short_string("en_US")
        self.call(CONNECTION_START_OK, login, CONNECTION_TUNE, channel=0)
        limits = struct.pack(">HIH", CHANNELS_MAX, FRAME_BYTES_MAX, NO_HEARTBEAT)
        self.socket.sendall(method(CONNECTION_TUNE_OK, limits, channel=0))
        self.call(CONNECTION_OPEN, short_string("/") + short_string("") + b"\0", CONNECTION_OPEN_OK, channel=0)
        self.call(CHANNEL_OPEN, short_string(""), CHANNEL_OPEN_OK)
        self.call(CONFIRM_SELECT, b"\0", CONFIRM_SELECT_OK)

    def close(self):
        self.file.close()
        self.socket.close()

    def declare(self, queue, durable, arguments):
        flags = DURABLE if durable else 0
        self.call(QUEUE_DECLARE, b"\0\0" + short_string(queue) + bytes([flags]) + table(arguments), QUEUE_DECLARE_OK)

    def publish(self, queue, body, persistent):
        """Returns when the broker has confirmed the message; `Refused` if it says that it has not taken it."""
        self.published += 1
        header = struct.pack(">HHQHB", BASIC_CLASS, 0, len(body), DELIVERY_MODE, 2 if persistent else 1)
        route = b"\0\0" + short_string("") + short_string(queue) + bytes([MANDATORY])
        frames = method(BASIC_PUBLISH, route) + frame(HEADER, CHANNEL, header) + frame(BODY, CHANNEL, body)
        self.socket.sendall(frames)
        returned = False
        while True:
            number, arguments = self.receive()
            if number == BASIC_RETURN:
                # A message without a queue is given back, and then confirmed.
                self.content()
                returned = True
            elif number in (BASIC_ACK, BASIC_NACK):
                (tag,) = struct.unpack_from(">Q", arguments)
                if tag < self.published:
                    continue
                if returned:
                    raise Refused("there is no such queue")
                if number == BASIC_NACK:
                    raise Refused("the broker has not taken it")
                return

    def get(self, queue):
        """Takes the oldest message, for good; `None` if there is none."""
        self.socket.sendall(method(BASIC_GET, b"\0\0" + short_string(queue) + b"\1"))
        number, _ = self.receive()
        if number == BASIC_GET_EMPTY:
            return None
        if number != BASIC_GET_OK:
            raise ConnectionError(f"unexpected method {number}")
        return self.content()

    def call(self, number, arguments, answer, channel=CHANNEL):
        self.socket.sendall(method(number, arguments, channel))
        return self.expect(answer)

    def expect(self, answer):
        number, arguments = self.receive()
        if number != answer:
            raise ConnectionError(f"method {number} instead of {answer}")
        return arguments

    def receive(self):
        """The next method: its number and its arguments."""
        while True:
            kind, payload = self.frame()
            if kind != METHOD:
                continue
            number, arguments = struct.unpack_from(">HH", payload), payload[4:]
            if number in (CHANNEL_CLOSE, CONNECTION_CLOSE):
                (code,) = struct.unpack_from(">H", arguments)
                raise Refused(f"{code} {arguments[3 : 3 + arguments[2]].decode()}")
            if number not in (CONNECTION_BLOCKED, CONNECTION_UNBLOCKED):
                return number, arguments

    def content(self):
        kind, header = self.frame()
        if kind != HEADER:
            raise ConnectionError("content without a header")
        (size,) = struct.unpack_from(">Q", header, 4)
        body = b""
        while len(body) < size:
            body += self.frame()[1]
        return body

    def frame(self):
        kind, _, size = struct.unpack(">BHI", self.exactly(7))
        return kind, self.exactly(size + 1)[:-1]

    def exactly(self, count):
        data = self.file.read(count)
        if len(data) < count:
            raise ConnectionError("the connection ended before the answer")
        return data
