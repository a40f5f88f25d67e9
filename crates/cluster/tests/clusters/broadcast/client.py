"""Asks some nodes to broadcast, and waits until every node has delivered everything."""
import socket
import sys

nodes, broadcasters = sys.argv[1].split(","), int(sys.argv[2])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
sock.bind((sys.argv[3], 7001))
for node in nodes:
    sock.sendto(b"HELLO", (node, 7000))
    assert sock.recv(1000) == b"WELCOME"
for node in nodes[:broadcasters]:
    sock.sendto(b"GO", (node, 7000))
for _ in range(broadcasters * len(nodes)):
    data = sock.recv(1000)
    print(data.decode(), flush=True)
