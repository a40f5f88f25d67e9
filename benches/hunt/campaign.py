#!/usr/bin/env python3
"""Hunts in the systems of `systems/` from their plain cluster files, and counts experiments until the first bad one.

    benches/hunt/campaign.py LINCHPIN [--random-seeds N] [--experiments N] [--timeout DURATION] [--jobs N] [--only TEXT] > results.tsv

One line per campaign: cluster file, strategy, seed, verdict, experiments until the first bad one, experiments, seconds. Every
campaign is one of `linchpin test`, so a line can be made again by the command that it stands for.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = ["cluster", "strategy", "seed", "verdict", "until_bad", "experiments", "seconds"]


def hunt(arguments, cluster, strategy, seed):
    command = [arguments.linchpin, "test", str(cluster.relative_to(ROOT)), "--strategy", strategy, "--seed", str(seed)]
    command += ["--experiments", str(arguments.experiments), "--timeout", arguments.timeout, "--quiet", "--format", "json", "--jobs", str(arguments.jobs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 3):
        print(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}", file=sys.stderr)
        return None
    answer = json.loads(done.stdout)
    conclusion = answer["hunt"]["conclusion"]
    until = conclusion["experiments_until_bad"]
    return [conclusion["verdict"], "-" if until is None else until, conclusion["experiments"], answer["elapsed_ms"] // 1000]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("linchpin", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--random-seeds", type=int, default=0, metavar="N", help="also hunt at random, with seeds 1 to N")
    parser.add_argument("--experiments", type=int, default=60, metavar="N")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="experiments at once")
    parser.add_argument("--timeout", default="20m", metavar="DURATION")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cluster files whose path contains this")
    arguments = parser.parse_args()
    print("\t".join(COLUMNS), flush=True)
    for cluster in sorted((ROOT / "systems").glob("*/cluster*.toml")):
        if arguments.only not in str(cluster):
            continue
        campaigns = [("lineage", 0)]
        if cluster.name != "cluster.toml":
            campaigns += [("random", seed) for seed in range(1, arguments.random_seeds + 1)]
        for strategy, seed in campaigns:
            found = hunt(arguments, cluster, strategy, seed)
            if found:
                print("\t".join(map(str, [cluster.relative_to(ROOT / "systems"), strategy, seed, *found])), flush=True)


if __name__ == "__main__":
    main()
