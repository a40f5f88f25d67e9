"""Requests and replies over TCP: one JSON object per line, the member `type` first, one connection per request.

A request ends in a reply, in `Refused` (it certainly was not received) or in `Lost` (nobody knows). The difference decides
what may be tried again and what may not.
"""

import json
import os
import socket
import socketserver
import sys
import threading


class Refused(Exception):
    """The request was not received: nothing listens there, or nobody answered the attempt to connect."""


class Lost(Exception):
    """The request may have been received, and no reply came in time."""


def address(text):
    """`127.0.0.1:7000` as the pair that sockets take."""
    host, port = text.rsplit(":", 1)
    return host, int(port)


def encode(message):
    return (json.dumps(message, separators=(",", ":")) + "\n").encode()


def call(to, message, timeout=0.2, source=None):
    """Sends a request and returns the reply. `timeout` is in seconds, for each of connecting and answering.

    `source` is the host the connection comes from: a server dials from the address it is known by.
    """
    local = (source, 0) if source else None
    try:
        connection = socket.create_connection(address(to), timeout, local)
    except OSError as error:
        raise Refused(f"{to}: {error}") from error
    with connection:
        try:
            connection.sendall(encode(message))
            line = connection.makefile("rb").readline()
        except OSError as error:
            raise Lost(f"{to}: {error}") from error
    if not line.endswith(b"\n"):
        raise Lost(f"{to}: the connection ended before the reply")
    try:
        return json.loads(line)
    except ValueError as error:
        raise Lost(f"{to}: the reply is damaged") from error


def try_call(to, message, timeout=0.2, source=None):
    """Like `call`, but `None` if no reply came, for whatever reason."""
    try:
        return call(to, message, timeout, source)
    except (Refused, Lost):
        return None


class _Handler(socketserver.StreamRequestHandler):
    timeout = 5  # A client that connects and says nothing must not keep a thread for ever.

    def handle(self):
        try:
            line = self.rfile.readline()
            if line.endswith(b"\n"):
                self.wfile.write(encode(self.server.answer(json.loads(line))))
        except (OSError, ValueError, LookupError, TypeError) as error:
            log(f"a request from {self.client_address[0]} failed: {error!r}")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def serve(listen, answer):
    """Serves for ever: `answer` turns a request into a reply, and is called by a thread per request."""
    with _Server(address(listen), _Handler) as server:
        server.answer = answer
        log(f"listening on {listen}")
        server.serve_forever()


def background(function, *arguments):
    """Runs a function in a thread. An error nobody expected ends the process: half a server is worse than none."""

    def run():
        try:
            function(*arguments)
        except Exception as error:  # pylint: disable=broad-except
            log(f"stopping: {error!r}")
            os._exit(1)

    threading.Thread(target=run, daemon=True).start()


def log(text):
    print(text, file=sys.stderr, flush=True)
