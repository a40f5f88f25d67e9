"""Prints what clients ask and what they are answered, as JSON lines (docs/formats/history.md)."""

import json
import sys
import threading
import time

_printing = threading.Lock()


def _event(process, kind, operation, **members):
    event = {"process": process, "type": kind, "operation": operation}
    event.update(members)
    with _printing:
        event["time"] = time.monotonic_ns()
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


class Operation:
    """An operation under way: printed as invoked when made, and completed by one of the methods."""

    def __init__(self, process, operation, **members):
        self.process, self.operation = process, operation
        _event(process, "invoke", operation, **members)

    def ok(self, **members):
        """It took effect."""
        _event(self.process, "ok", self.operation, **members)

    def fail(self, error):
        """It certainly took no effect."""
        _event(self.process, "fail", self.operation, error=str(error))

    def info(self, error):
        """Nobody knows whether it took effect."""
        _event(self.process, "info", self.operation, error=str(error))
