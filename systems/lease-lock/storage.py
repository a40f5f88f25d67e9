"""A list on a disk, read and written as a whole by whoever holds the lock.

It trusts nobody to know that he still does: a write with an older fencing token than the newest it has seen is refused.
`--fencing off` trusts everybody.
"""

import argparse
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from durable import Log
from rpc import serve


class Storage:
    def __init__(self, data, fencing):
        self.fencing = fencing
        self.lock = threading.Lock()
        # {"token": 3, "list": [...]}; a read leaves its token too, with the list as it was.
        self.writes = Log(data, "writes")

    def answer(self, request):
        with self.lock:
            last = self.writes.records[-1] if self.writes.records else {"token": 0, "list": []}
            if request["type"] == "look":
                return {"type": "list", "list": last["list"]}
            if self.fencing and request["token"] < last["token"]:
                return {"type": "refused"}
            if request["type"] == "read":
                # Once a newer holder has read, an older one may not write: the newer one would overwrite it unseen.
                if request["token"] > last["token"]:
                    self.writes.append({"token": request["token"], "list": last["list"]})
                return {"type": "list", "list": last["list"]}
            self.writes.append({"token": request["token"], "list": request["list"]})
            return {"type": "written"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--fencing", default="on", choices=["on", "off"])
    arguments = parser.parse_args()
    storage = Storage(arguments.data, arguments.fencing == "on")
    serve(arguments.listen, storage.answer)


if __name__ == "__main__":
    main()
