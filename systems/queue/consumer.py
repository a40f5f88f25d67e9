"""Takes messages from the broker and stores each, then acknowledges it.

The order matters: what is acknowledged is gone from the queue. `--acknowledge early` does it the other way round.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from rpc import log, try_call

IDLE_SECONDS = 0.03


class Consumer:
    def __init__(self, host, broker, store, acknowledge_early):
        self.host, self.broker, self.store = host, broker, store
        self.acknowledge_early = acknowledge_early

    def ask(self, to, message):
        return try_call(to, message, source=self.host)

    def run(self):
        while True:
            reply = self.ask(self.broker, {"type": "take"})
            if reply and reply["type"] == "message":
                self.handle(reply["message"])
            else:
                time.sleep(IDLE_SECONDS)

    def handle(self, message):
        if self.acknowledge_early:
            self.ask(self.broker, {"type": "acknowledge", "message": message})
        # Until it is stored: the broker may hand it out again meanwhile, which does no harm.
        while not self.ask(self.store, {"type": "store", "message": message}):
            time.sleep(IDLE_SECONDS)
        if not self.acknowledge_early:
            self.ask(self.broker, {"type": "acknowledge", "message": message})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True, metavar="HOST", help="the address to dial from")
    parser.add_argument("--broker", required=True, metavar="HOST:PORT")
    parser.add_argument("--store", required=True, metavar="HOST:PORT")
    parser.add_argument("--acknowledge", default="stored", choices=["stored", "early"])
    arguments = parser.parse_args()
    early = arguments.acknowledge == "early"
    log("consuming")
    Consumer(arguments.host, arguments.broker, arguments.store, early).run()


if __name__ == "__main__":
    main()
