"""Is this server part of a quorum?"""
import socket
import sys

with socket.create_connection((sys.argv[1], 2181), timeout=2) as connection:
    connection.sendall(b"srvr")
    answer = b""
    while data := connection.recv(4096):
        answer += data
sys.exit(0 if b"Mode: leader" in answer or b"Mode: follower" in answer else 1)
