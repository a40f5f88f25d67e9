"""Exit status 0 once this server is part of a quorum."""

import socket
import sys


def answer(host):
    with socket.create_connection((host, 2181), timeout=2) as connection:
        connection.sendall(b"srvr")
        return connection.makefile("rb").read()


if __name__ == "__main__":
    try:
        words = answer(sys.argv[1])
    except OSError:
        sys.exit(1)
    sys.exit(0 if b"Mode: leader" in words or b"Mode: follower" in words else 1)
