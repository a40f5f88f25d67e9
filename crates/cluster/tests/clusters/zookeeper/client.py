"""Writes at one server, and reads at another after a sync."""
import sys

from kazoo.client import KazooClient

one, other = (KazooClient(hosts=f"{server}:2181", timeout=20) for server in sys.argv[1:3])
one.start(timeout=20)
other.start(timeout=20)
one.create("/key", b"value-of-a-unique-token")
other.sync("/key")
print(other.get("/key")[0].decode())
one.stop()
other.stop()
