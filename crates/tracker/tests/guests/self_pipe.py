# Signals wake an event loop through a socket pair (signal.set_wakeup_fd), and a thread wakes it the
# same way; a child of multiprocessing's fork talks through a duplex pipe.
import asyncio
import os
import signal
import socket


def child(end):
    end.sendall(end.recv(100) + b" back")
    os._exit(0)


async def main():
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, woken.set_result, True)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert await woken
    one, other = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        child(other)
    other.close()
    one.sendall(b"there")
    one.setblocking(False)
    assert await loop.sock_recv(one, 100) == b"there back"
    assert os.waitpid(pid, 0) == (pid, 0)


asyncio.run(main())
