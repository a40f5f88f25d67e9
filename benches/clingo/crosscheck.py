#!/usr/bin/env python3
"""Checks the translation against the naive evaluator: random fault sets, every row of every relation at every time.

    ./crosscheck.py SCENARIOS.json [--runs 10] [--seed 1] [--only SUBSTRING]

SCENARIOS.json is a list of objects with the keys files, eot, eff, crashes, nodes and, optionally, invariant and include;
paths are relative to it. On a small fault space (up to --exhaustive sets) verdict and minimal counterexamples are compared too.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import random
import sys

import clingo

import brute
import dedalus
import oracle
from dedalus_to_asp import Bounds, Translation
from oracle import Fault, Row

Table = dict[tuple[str, int], set[Row]]
"""Rows by relation and time; only non-empty ones."""


class Simulator:
    """One answer-set program, asked for the complete run under given faults."""

    def __init__(self, program: dedalus.Program, bounds: Bounds) -> None:
        translation = Translation(program, bounds)
        self.control = clingo.Control(["--warn=none", "2"])
        self.control.add("base", [], translation.text())
        self.control.ground([("base", [])])
        self.relations = {atom: name for name, atom in translation.names.items()}
        self.literals = {
            fault: symbolic.literal
            for symbolic in self.control.symbolic_atoms
            if (fault := oracle.fault_of(symbolic.symbol)) is not None
        }

    def run(self, faults: frozenset[Fault], eot: int) -> Table:
        assumptions = [literal if fault in faults else -literal for fault, literal in self.literals.items()]
        tables: list[Table] = []
        with self.control.solve(assumptions=assumptions, yield_=True) as handle:
            for model in handle:
                tables.append({})
                for symbol in model.symbols(atoms=True):
                    if symbol.name in self.relations and symbol.arguments[0].number <= eot:
                        key = (self.relations[symbol.name], symbol.arguments[0].number)
                        row = tuple(oracle.value_of(argument) for argument in symbol.arguments[1:])
                        tables[-1].setdefault(key, set()).add(row)
        if len(tables) != 1:
            raise dedalus.DedalusError(f"{len(tables)} answer sets for one fault set")
        return tables[0]


def random_faults(bounds: Bounds, source: random.Random) -> frozenset[Fault]:
    omissions = [(t, "omit", a, b) for t in range(1, bounds.eff) for a in bounds.nodes for b in bounds.nodes if a != b]
    picked = source.sample(omissions, source.randint(0, min(len(omissions), 2 + bounds.eff)))
    crashed = source.sample(bounds.nodes, source.randint(0, bounds.crashes))
    return frozenset(picked) | {(source.randint(1, bounds.eot), "crash", node, "") for node in crashed}


def compare(program: dedalus.Program, bounds: Bounds, runs: int, source: random.Random) -> str:
    """An empty string, or the first difference."""
    simulator, evaluator = Simulator(program, bounds), brute.Evaluator(program, bounds)
    for faults in [frozenset(), *(random_faults(bounds, source) for _ in range(runs))]:
        table = simulator.run(faults, bounds.eot)
        history = evaluator.run(faults)
        naive = {
            (name, t): rows
            for t, tables in enumerate(history)
            for name, rows in tables.items()
            if rows and name in simulator.relations.values()
        }
        for key in sorted(set(table) | set(naive)):
            if table.get(key, set()) != naive.get(key, set()):
                only = table.get(key, set()) ^ naive.get(key, set())
                return f"{key[0]} at {key[1]} differs in {sorted(only, key=repr)[:3]} under {sorted(faults)}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--exhaustive", type=int, default=300)
    options = parser.parse_args()
    root, failures = options.scenarios.parent, 0
    for scenario in json.loads(options.scenarios.read_text()):
        name = "+".join(pathlib.Path(f).stem for f in scenario["files"])
        bounds = Bounds(scenario["eot"], scenario["eff"], scenario["crashes"], tuple(scenario["nodes"]))
        if options.only not in name:
            continue
        program = dedalus.load([root / f for f in scenario["files"]], [root / d for d in scenario.get("include", [])])
        problem = compare(program, bounds, options.runs, random.Random(options.seed))
        space = sum(1 for _, _ in zip(brute.fault_sets(bounds), range(options.exhaustive + 1)))
        note = "runs agree"
        if not problem and space <= options.exhaustive:
            invariant = scenario.get("invariant", "implication")
            naive = brute.decide(program, bounds, invariant, True)
            asp = oracle.Oracle(program, bounds, invariant)
            found = [{"faults": [oracle.as_json(f) for f in sorted(s)]} for s in asp.counterexamples(True)]
            if found != naive["counterexamples"] or asp.vacuous != naive["vacuous"]:
                problem = f"counterexamples differ: {len(found)} against {len(naive['counterexamples'])}"  # type: ignore[arg-type]
            note = "runs and counterexamples agree"
        print(f"{name:42} {bounds.eot},{bounds.eff},{bounds.crashes}  {problem or note}", flush=True)
        failures += bool(problem)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
