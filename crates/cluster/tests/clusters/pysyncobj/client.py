"""Writes at one node, and reads at another until it is there."""
import socket
import sys
import time


def ask(node, question):
    with socket.create_connection((node, 7000), timeout=20) as connection:
        stream = connection.makefile("rw")
        print(question, file=stream, flush=True)
        return stream.readline().strip()


assert ask(sys.argv[1], "put key value-of-a-unique-token") == "ok"
while (answer := ask(sys.argv[2], "get key")) == "None":
    time.sleep(0.05)
print(answer)
