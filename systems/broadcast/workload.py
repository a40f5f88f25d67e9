"""Announces messages to one member."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from ask import ask


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("member", metavar="HOST:PORT")
    parser.add_argument("--messages", type=int, default=1, metavar="N")
    parser.add_argument("--linger", type=int, default=0, metavar="MS", help="give members this long to repeat what was lost")
    arguments = parser.parse_args()
    for number in range(1, arguments.messages + 1):
        text = f"message-{number}"
        answer = ask(arguments.member, {"type": "announce", "text": text}, "announced", seconds=0.6)
        print(f"{text}: {'announced' if answer else 'no answer'}", flush=True)
    time.sleep(arguments.linger / 1000)


if __name__ == "__main__":
    main()
