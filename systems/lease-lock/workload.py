"""Has each worker add elements, all workers at once, or (`--final`) reads the list; prints the history."""

import argparse
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from history import Operation
from rpc import Lost, Refused, call, try_call


def add(worker, process, count):
    for number in range(1, count + 1):
        value = f"{process}-{number}"
        operation = Operation(process, "add", key="list", value=value)
        try:
            reply = call(worker, {"type": "add", "value": value}, timeout=3)
        except Refused as error:
            operation.fail(error)
        except Lost as error:
            operation.info(error)
        else:
            if reply["type"] == "added":
                operation.ok()
            else:
                operation.info("the worker gave up")


def final_read(storage):
    operation = Operation("final", "read", key="list", final=True)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        reply = try_call(storage, {"type": "look"})
        if reply:
            operation.ok(value=reply["list"])
            return
        time.sleep(0.05)
    operation.fail("the storage does not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("servers", nargs="+", metavar="HOST:PORT", help="the workers; with --final, the storage")
    parser.add_argument("--adds", type=int, default=2, metavar="N", help="for each worker")
    parser.add_argument("--final", action="store_true")
    arguments = parser.parse_args()
    if arguments.final:
        final_read(arguments.servers[0])
        return
    threads = [
        threading.Thread(target=add, args=(worker, number, arguments.adds))
        for number, worker in enumerate(arguments.servers, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
