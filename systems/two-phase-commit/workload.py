"""Runs a transaction and says how it ended."""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from rpc import Lost, Refused, call


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("coordinator", metavar="HOST:PORT")
    parser.add_argument("--transactions", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    for number in range(1, arguments.transactions + 1):
        transaction = f"transfer-{number}"
        try:
            outcome = call(arguments.coordinator, {"type": "begin", "transaction": transaction}, 2)["outcome"]
        except (Refused, Lost) as error:
            outcome = f"unknown ({error})"
        print(f"{transaction}: {outcome}", flush=True)


if __name__ == "__main__":
    main()
