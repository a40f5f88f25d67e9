"""Watches the replicas and makes one of them the primary when there is none that answers.

Which one matters: the log that is most complete must win. `--promote any` forgets to look.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from concurrent.futures import ThreadPoolExecutor
from rpc import background, log, serve, try_call

PING_SECONDS = 0.05
PATIENCE = 3  # unanswered pings in a row


class Monitor:
    def __init__(self, listen, replicas, promote_any):
        self.host = listen.rsplit(":", 1)[0]
        self.replicas, self.promote_any = replicas, promote_any
        self.pool = ThreadPoolExecutor(max_workers=2 * len(replicas))
        self.primary = None

    def ask_all(self, request):
        """Replica -> its reply, of those that reply."""
        replies = self.pool.map(lambda replica: try_call(replica, request, source=self.host), self.replicas)
        return {replica: reply for replica, reply in zip(self.replicas, replies) if reply}

    def watch(self):
        unanswered = PATIENCE
        while True:
            unanswered = 0 if self.primary_answers() else unanswered + 1
            if unanswered >= PATIENCE:
                self.primary = self.elect()
                unanswered = 0 if self.primary else PATIENCE
            time.sleep(PING_SECONDS)

    def primary_answers(self):
        reply = self.primary and try_call(self.primary, {"type": "ping"}, source=self.host)
        return bool(reply and reply["primary"])

    def elect(self):
        """A new primary for a new epoch, or `None`.

        A majority promises to take no more entries of older epochs, so what they report is all that can ever have been
        acknowledged: every acknowledged write is in the log of one of them, and the most complete log has it.
        """
        pongs = self.ask_all({"type": "ping"})
        epoch = 1 + max((pong["epoch"] for pong in pongs.values()), default=0)
        replies = self.ask_all({"type": "prepare", "epoch": epoch})
        prepared = {replica: reply for replica, reply in replies.items() if reply["type"] == "prepared"}
        if len(prepared) <= len(self.replicas) // 2:
            return None
        if self.promote_any:
            chosen = min(prepared, key=self.replicas.index)
        else:
            chosen = max(prepared, key=lambda replica: (prepared[replica]["last"], prepared[replica]["length"]))
        reply = try_call(chosen, {"type": "promote", "epoch": epoch}, source=self.host)
        promoted = reply is not None and reply["type"] == "promoted"
        log(f"epoch {epoch}: {chosen} {'is' if promoted else 'did not become'} primary")
        return chosen if promoted else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--replica", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--promote", default="most-complete", choices=["most-complete", "any"])
    arguments = parser.parse_args()
    monitor = Monitor(arguments.listen, arguments.replica, arguments.promote == "any")
    background(monitor.watch)
    serve(arguments.listen, lambda request: {"type": "primary", "address": monitor.primary})


if __name__ == "__main__":
    main()
