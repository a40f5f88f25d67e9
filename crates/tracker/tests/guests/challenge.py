# Python's own connections between processes (multiprocessing): a listener on a path, and challenges
# of both sides before anything is said.
# graph: counts
import multiprocessing
import multiprocessing.connection
import os
import tempfile


def main():
    # Listener and client, with the challenges of both.
    name = os.path.join(tempfile.mkdtemp(), "listener")
    with multiprocessing.connection.Listener(name, authkey=b"key") as listener:
        child = os.fork()
        if child == 0:
            with multiprocessing.connection.Client(name, authkey=b"key") as client:
                client.send([1, 2, 3])
                assert client.recv() == "sum 6"
            os._exit(0)
        with listener.accept() as server:
            server.send(f"sum {sum(server.recv())}")
            try:
                server.recv()
                raise AssertionError
            except EOFError:
                pass
    assert os.waitpid(child, 0)[1] == 0
    os.rmdir(os.path.dirname(name))


main()
