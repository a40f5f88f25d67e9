"""Where consumers put what they have taken: a set on a disk. Storing something twice is storing it once."""

import argparse
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from durable import Log
from rpc import serve


class Store:
    def __init__(self, data):
        self.lock = threading.Lock()
        self.log = Log(data, "stored")

    def answer(self, request):
        with self.lock:
            stored = [record["message"] for record in self.log.records]
            if request["type"] == "list":
                return {"type": "messages", "messages": stored}
            if request["message"] not in stored:
                self.log.append({"message": request["message"]})
            return {"type": "stored"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    arguments = parser.parse_args()
    serve(arguments.listen, Store(arguments.data).answer)


if __name__ == "__main__":
    main()
