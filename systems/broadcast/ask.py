"""Datagrams that want an answer: asked again until one comes."""

import json
import socket
import time

from rpc import address


def ask(to, request, reply, seconds, every=0.05):
    """Sends `request` every 50 ms until a message of type `reply` comes; `None` if none does."""
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.connect(address(to))
        channel.settimeout(every)
        while time.monotonic() < deadline:
            try:
                channel.send(json.dumps(request).encode())
                message = json.loads(channel.recv(65536))
            except (OSError, ValueError):
                # Silence, or the refusal of a host where nobody listens (any more, or yet).
                time.sleep(every / 5)
                continue
            if message.get("type") == reply:
                return message
    return None
