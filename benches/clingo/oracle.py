#!/usr/bin/env python3
"""Decides a Dedalus program within bounds by answer-set programming: verdict, vacuity, minimal counterexamples.

    pip install clingo
    ./oracle.py FILE... --eot 6 --eff 3 --crashes 1 --nodes a,b,c [--invariant baseline] [-I DIR] [--all] [--json]

Exit codes: 0 holds, 1 broken, 2 input error, 3 vacuous.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Iterable, Sequence

import clingo

import dedalus
from dedalus_to_asp import Bounds, Translation

Fault = tuple[int, str, str, str]
"""(time, kind, node, receiver): sorts by time, then kind; the receiver of a crash is empty."""
Row = tuple[int | str, ...]


class Oracle:
    """One program under one set of bounds and one invariant, grounded once and asked many times."""

    def __init__(self, program: dedalus.Program, bounds: Bounds, invariant: str) -> None:
        check(program, bounds, invariant)
        self.warnings: list[str] = []
        self.control = clingo.Control(["--warn=none", "--heuristic=Domain", "2"], logger=self.log)
        translation = Translation(program, bounds)
        self.control.add("base", [], translation.text())
        self.control.ground([("base", [])])
        self.literals = {
            fault: symbolic.literal
            for symbolic in self.control.symbolic_atoms
            if (fault := fault_of(symbolic.symbol)) is not None
        }
        failure_free = self.outcome([])
        self.refuse_undefined()
        wanted = {"implication": "pre", "baseline": "post", "good": "good"}[invariant]
        self.vacuous = not failure_free[wanted]
        self.control.add("check", [], translation.check(invariant, failure_free[wanted]))
        self.control.ground([("check", [])])

    def log(self, _code: clingo.MessageCode, message: str) -> None:
        self.warnings.append(message.strip())

    def refuse_undefined(self) -> None:
        """A division by zero in any run is an error of the program, whatever the outcome of that run."""
        atom = self.control.symbolic_atoms[clingo.Function("undefined")]
        faults = self.solve([atom.literal]) if atom is not None else None
        if faults is not None:
            raise dedalus.DedalusError(f"division by zero under {{{', '.join(map(as_text, sorted(faults)))}}}")

    def outcome(self, faults: Iterable[Fault]) -> dict[str, list[Row]]:
        """Rows of pre, post and good at EOT in the run with exactly these faults."""
        present = set(faults)
        assumptions = [literal if fault in present else -literal for fault, literal in self.literals.items()]
        rows: dict[str, list[Row]] = {"pre": [], "post": [], "good": []}
        with self.control.solve(assumptions=assumptions, yield_=True) as handle:
            models = [model.symbols(shown=True) for model in handle]
        if len(models) != 1:
            raise dedalus.DedalusError("no total well-founded model in the failure-free run")
        for symbol in models[0]:
            if symbol.name in rows:
                rows[symbol.name].append(tuple(value_of(argument) for argument in symbol.arguments))
        return {name: sorted(found, key=repr) for name, found in rows.items()}

    def solve(self, assumptions: Sequence[int]) -> frozenset[Fault] | None:
        """A bad fault set under the assumptions, outside everything blocked so far."""
        with self.control.solve(assumptions=assumptions, yield_=True) as handle:
            model = handle.model()
            if model is None:
                return None
            symbols = (fault_of(symbol) for symbol in model.symbols(shown=True))
            return frozenset(fault for fault in symbols if fault is not None)

    def block_supersets(self, faults: Iterable[Fault]) -> None:
        with self.control.backend() as backend:
            backend.add_rule([], [self.literals[fault] for fault in faults])

    def counterexamples(self, every: bool) -> list[frozenset[Fault]]:
        """The minimal bad fault sets, all of them or one.

        Each bad set found is shrunk by search, not greedily: its supersets are blocked, then a bad set strictly inside it
        is sought, until there is none. What is blocked is a superset of a bad set, hence never minimal.
        """
        found: list[frozenset[Fault]] = []
        while (faults := self.solve([])) is not None:
            while True:
                self.block_supersets(faults)
                outside = [-literal for fault, literal in self.literals.items() if fault not in faults]
                smaller = self.solve(outside) if faults else None
                if smaller is None:
                    break
                faults = smaller
            found.append(faults)
            if not every or not faults:
                break
        return sorted(found, key=lambda faults: (len(faults), sorted(faults)))


def check(program: dedalus.Program, bounds: Bounds, invariant: str) -> None:
    if bounds.eot < 1 or not 0 <= bounds.eff <= bounds.eot or not 0 <= bounds.crashes <= len(bounds.nodes):
        raise dedalus.DedalusError(f"these bounds make no sense: {bounds}")
    if not bounds.nodes or len(set(bounds.nodes)) != len(bounds.nodes):
        raise dedalus.DedalusError("nodes must be given, each once")
    arities = {rule.relation: len(rule.args) for rule in program.rules} | {f.relation: len(f.values) for f in program.facts}
    needed = ["good"] if invariant == "good" else ["pre", "post"]
    for name in needed:
        if name not in arities:
            raise dedalus.DedalusError(f"the program defines no `{name}`; see --invariant")
    # Stable models stand in for the well-founded model. Where a program is not stratified, that the model is total is
    # checked for the failure-free run only; `brute.py` checks every run.
    read = {literal.relation for rule in program.rules for literal in rule.literals()}
    for rule in program.rules:
        if rule.relation in read and any((literal.at or 0) > 1 for literal in rule.literals()):
            raise dedalus.DedalusError(f"{rule.place}: looks ahead of its own time, yet `{rule.relation}` is read elsewhere")
    if len({arities[name] for name in needed}) != 1:
        raise dedalus.DedalusError("`pre` and `post` differ in their number of columns")


def fault_of(symbol: clingo.Symbol) -> Fault | None:
    if symbol.name == "omit" and len(symbol.arguments) == 3:
        sender, receiver, at = symbol.arguments
        return (at.number, "omit", sender.string, receiver.string)
    if symbol.name == "crash" and len(symbol.arguments) == 2:
        node, at = symbol.arguments
        return (at.number, "crash", node.string, "")
    return None


def value_of(symbol: clingo.Symbol) -> int | str:
    return symbol.number if symbol.type == clingo.SymbolType.Number else symbol.string


def as_json(fault: Fault) -> dict[str, str | int]:
    at, kind, node, receiver = fault
    if kind == "omit":
        return {"kind": "omit", "from": node, "to": receiver, "at": at}
    return {"kind": "crash", "node": node, "at": at}


def as_text(fault: Fault) -> str:
    at, kind, node, receiver = fault
    return f"omit {node}->{receiver} @{at}" if kind == "omit" else f"crash {node} @{at}"


def decide(
    files: Sequence[pathlib.Path],
    bounds: Bounds,
    invariant: str = "implication",
    include_directories: Sequence[pathlib.Path] = (),
    every: bool = False,
) -> dict[str, object]:
    """The answer as the object that `--json` prints."""
    start = time.monotonic()
    oracle = Oracle(dedalus.load(files, include_directories), bounds, invariant)
    found = oracle.counterexamples(every)
    return {
        "verdict": "broken" if found else "holds",
        "vacuous": oracle.vacuous,
        "invariant": invariant,
        "bounds": {"eot": bounds.eot, "eff": bounds.eff, "crashes": bounds.crashes, "nodes": list(bounds.nodes)},
        "counterexamples": [{"faults": [as_json(fault) for fault in sorted(faults)]} for faults in found],
        "warnings": sorted(set(oracle.warnings)),
        "elapsed_ms": round((time.monotonic() - start) * 1000),
    }


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--eot", type=int, required=True)
    parser.add_argument("--eff", type=int, required=True)
    parser.add_argument("--crashes", type=int, required=True)
    parser.add_argument("--nodes", required=True)
    parser.add_argument("--invariant", choices=("implication", "baseline", "good"), default="implication")
    parser.add_argument("-I", dest="include", action="append", type=pathlib.Path, default=[])
    parser.add_argument("--all", action="store_true", help="every minimal counterexample, not just one")
    parser.add_argument("--json", action="store_true")
    return parser


def main() -> int:
    options = arguments().parse_args()
    bounds = Bounds(options.eot, options.eff, options.crashes, tuple(options.nodes.split(",")))
    try:
        answer = decide(options.files, bounds, options.invariant, options.include, options.all)
    except (dedalus.DedalusError, OSError, UnicodeDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(answer))
    else:
        print(f"{answer['verdict']}{' (vacuous)' if answer['vacuous'] else ''} in {answer['elapsed_ms']} ms")
        for warning in answer["warnings"]:  # type: ignore[attr-defined]
            print(f"warning: {warning}", file=sys.stderr)
        for counterexample in answer["counterexamples"]:  # type: ignore[attr-defined]
            print("  " + ", ".join(describe(fault) for fault in counterexample["faults"]))
    return 1 if answer["verdict"] == "broken" else 3 if answer["vacuous"] else 0


def describe(fault: dict[str, str | int]) -> str:
    if fault["kind"] == "omit":
        return f"omit {fault['from']}->{fault['to']} @{fault['at']}"
    return f"crash {fault['node']} @{fault['at']}"


if __name__ == "__main__":
    sys.exit(main())
