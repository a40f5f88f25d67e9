"""A client of Redis in a page: RESP2 over a socket (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

import socket


class RedisError(Exception):
    """The server answered with an error: the command took no effect."""


class Connection:
    def __init__(self, host, port, timeout=0.5):
        self.socket = socket.create_connection((host, port), timeout)
        self.file = self.socket.makefile("rb")

    def call(self, *words):
        """Sends a command and returns the reply: a string, a number, a list, or None."""
        command = [f"*{len(words)}\r\n".encode()]
        for word in words:
            data = str(word).encode()
            command.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(command))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection ended before the reply")
        kind, text = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise RedisError(text)
        if kind == b":":
            return int(text)
        if kind == b"$":
            return None if text == "-1" else self.file.read(int(text) + 2)[:-2].decode()
        if kind == b"*":
            return [self.reply() for _ in range(int(text))]
        return text

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def primary(sentinels):
    """The address of the primary, as the first Sentinel has it that answers; None if none does."""
    for sentinel in sentinels:
        try:
            with Connection(sentinel, 26379) as connection:
                host, port = connection.call("SENTINEL", "get-master-addr-by-name", "store")
                return host, int(port)
        except (OSError, RedisError, TypeError, ValueError):
            continue
    return None
