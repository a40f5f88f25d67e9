"""Agreement: what one member delivered, every member delivered that answers.

Exit status: 0 agreement, 1 none, 2 nobody delivered anything, so nothing was asked of the protocol.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from ask import ask


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("members", nargs="+", metavar="HOST:PORT")
    arguments = parser.parse_args()
    delivered = {}
    for member in arguments.members:
        answer = ask(member, {"type": "list"}, "delivered", seconds=0.5)
        if answer is None:
            print(f"{member} does not answer: it has crashed")
        else:
            delivered[member] = set(answer["texts"])
            print(f"{member} delivered {', '.join(answer['texts']) or 'nothing'}")
    everything = set().union(*delivered.values())
    if not everything:
        print("nobody delivered anything")
        return 2
    lacking = {member: everything - texts for member, texts in delivered.items() if everything - texts}
    for member, texts in lacking.items():
        print(f"{member} lacks {', '.join(sorted(texts))}")
    if not lacking:
        print("everyone who answers delivered the same")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
