"""Reliable broadcast over UDP: whoever delivers a message for the first time passes it on."""
import socket
import sys

own, others = sys.argv[1], sys.argv[2].split(",")
name = sys.argv[3]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((own, 7000))
delivered, client = set(), None


def deliver(message, sender):
    if message in delivered:
        return
    delivered.add(message)
    for other in others:
        if other != sender:
            sock.sendto(b"DATA " + message, (other, 7000))
    if client:
        sock.sendto(b"DELIVERED " + message, client)


while True:
    data, peer = sock.recvfrom(1000)
    kind, _, message = data.partition(b" ")
    if kind == b"HELLO":
        client = peer
        sock.sendto(b"WELCOME", peer)
    elif kind == b"GO":
        deliver(name.encode(), None)
    elif kind == b"DATA":
        deliver(message, peer[0])
