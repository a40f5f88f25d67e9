"""A replicated dictionary behind a line protocol: `put KEY VALUE`, `get KEY`."""
import socket
import sys

from pysyncobj import SyncObj, SyncObjConf
from pysyncobj.batteries import ReplDict

own, others, address = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
values = ReplDict()
replica = SyncObj(own, others, consumers=[values], conf=SyncObjConf(bindAddress=own))
replica.waitReady()
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((address, 7000))
listener.listen()
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    with connection, connection.makefile("rw") as stream:
        for line in stream:
            words = line.split()
            if words[0] == "put":
                values.set(words[1], words[2], sync=True, timeout=10)
                print("ok", file=stream, flush=True)
            else:
                print(values.get(words[1]), file=stream, flush=True)
