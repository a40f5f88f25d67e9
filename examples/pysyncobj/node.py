"""A register that PySyncObj (Raft) replicates. A read goes through the log, like a write: what a node has itself may be old."""

import argparse
import os
import sys

from pysyncobj import SyncObj, SyncObjConf, SyncObjException, replicated

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systems", "shared"))
from rpc import serve

REPLICATION_PORT = 4321
TIMEOUT_SECONDS = 2


class Register(SyncObj):
    def __init__(self, own, others):
        super().__init__(own, others, conf=SyncObjConf(bindAddress=own))
        self.value = None

    @replicated
    def write(self, value):
        self.value = value

    @replicated
    def read(self):
        return self.value


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", help="of this node")
    parser.add_argument("others", nargs="+", metavar="HOST")
    arguments = parser.parse_args()
    others = [f"{host}:{REPLICATION_PORT}" for host in arguments.others]
    register = Register(f"{arguments.host}:{REPLICATION_PORT}", others)
    register.waitReady()

    def answer(request):
        try:
            if request["type"] == "write":
                register.write(request["value"], sync=True, timeout=TIMEOUT_SECONDS)
                return {"type": "written"}
            return {"type": "value", "value": register.read(sync=True, timeout=TIMEOUT_SECONDS)}
        except SyncObjException as error:
            return {"type": "unknown", "error": str(error)}

    serve(f"{arguments.host}:7000", answer)


if __name__ == "__main__":
    main()
