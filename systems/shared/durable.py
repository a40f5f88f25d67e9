"""A log file that survives crashes and power failures."""

import json
import os
import sys
import threading

LATE_SECONDS = 0.2  # between a record and its fsync, where nobody waits for it


class Log:
    """Records, one JSON object per line. What `append` has returned from is on the disk.

    A disk that fails stops the process: after a failed fsync nobody knows what is on the disk, and a server that goes on
    would promise what it cannot keep.

    `sync` brings back two known bugs: "late" returns before the record is on the disk, "unchecked" goes on when it could not be
    brought there.
    """

    def __init__(self, directory, name, sync="always"):
        self.sync = sync
        os.makedirs(directory, exist_ok=True)
        self.path = os.path.join(directory, name)
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.records = self._load()
        # The file's entry in its directory must last as well as its contents.
        entry = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(entry)
        os.close(entry)

    def _load(self):
        """The records; half a record at the end, torn by a crash, is cut off: nobody was told of it."""
        with open(self.path, "rb") as file:
            whole, _, _ = file.read().rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        os.ftruncate(self.file, sum(len(line) + 1 for line in lines))
        os.fsync(self.file)
        return [json.loads(line) for line in lines]

    def append(self, record):
        """Writes a record, and returns when it is on the disk."""
        data = (json.dumps(record, separators=(",", ":")) + "\n").encode()
        try:
            while data:
                data = data[os.write(self.file, data) :]
            if self.sync == "late":
                threading.Timer(LATE_SECONDS, os.fsync, [self.file]).start()
            else:
                self._flush()
        except OSError as error:
            print(f"stopping: cannot write {self.path}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        self.records.append(record)

    def _flush(self):
        try:
            os.fsync(self.file)
        except OSError as error:
            if self.sync != "unchecked":
                raise
            print(f"going on: cannot sync {self.path}: {error}", file=sys.stderr, flush=True)
