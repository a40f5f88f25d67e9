#!/usr/bin/env python3
"""Random small programs: `linchpin check` against the oracle, under every invariant mode and strategy.

    ./fuzz.py --count 1000 --seed 1 --linchpin ../../target/release/linchpin --keep DIR

A program that is judged differently is shrunk clause by clause and written to DIR with its bounds in the front matter.
Programs have negation, recursion, aggregates of every kind, arithmetic, `crash` in rules, messages, late facts, reads at
absolute times, global rules and rules whose first literal is negated. Everything depends on the seed alone.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import pathlib
import random
import sys
import tempfile

import brute
import compare
import dedalus
import oracle
from dedalus_to_asp import Bounds

NODE, NUMBER, TEXT = "node", "number", "text"
AGGREGATES = ("count", "min", "max", "sum", "avg")


@dataclasses.dataclass(frozen=True)
class Relation:
    name: str
    types: tuple[str, ...]
    level: int
    """Deductive rules read lower levels freely, and their own level where it is neither negated nor aggregated."""


class Generator:
    def __init__(self, seed: int, cycles: bool = False) -> None:
        self.random = random.Random(seed)
        self.cycles = cycles
        self.nodes = ["a", "b", "c"][: 2 if cycles else self.random.choice((2, 3, 3))]
        eot = self.random.choice((2, 3) if cycles else (3, 4, 4, 5))
        eff = self.random.randint(0, min(eot, 4))
        crashes = self.random.randint(0, 1 if cycles else 2)
        self.bounds = Bounds(eot, eff, min(crashes, len(self.nodes)), tuple(self.nodes))
        self.inputs = [self.relation(f"in{i}", 0) for i in range(self.random.randint(1, 3))]
        self.derived = [self.relation(f"d{i}", i + 1) for i in range(self.random.randint(2, 5))]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def relation(self, name: str, level: int) -> Relation:
        columns = self.random.choices((NODE, NUMBER, TEXT), (4, 3, 1), k=self.random.choice((0, 1, 1, 2)))
        return Relation(name, (NODE, *columns), level)

    def clauses(self) -> list[str]:
        lines = [self.fact(relation) for relation in self.inputs for _ in range(self.random.randint(1, 4))]
        lines += [self.fact(relation) for relation in self.derived if self.chance(0.25)]
        for relation in self.derived:
            lines += [self.rule(relation) for _ in range(self.random.choice((1, 1, 2, 2, 3)))]
            if self.chance(0.7):
                lines.append(self.persistence(relation))
        lines += [self.persistence(relation) for relation in self.inputs if self.chance(0.4)]
        types = (self.random.choice((NODE, NODE, TEXT)), *self.random.choices((NODE, NUMBER), k=self.random.choice((0, 0, 1))))
        for name in ("pre", "post", "good"):
            relation = Relation(name, types, 99)
            lines += [self.rule(relation, outcome=True) for _ in range(self.random.choice((1, 1, 2)))]
        lines += self.goal(types)
        return lines

    def goal(self, types: tuple[str, ...]) -> list[str]:
        """Outcome rules that are likely to have rows: a derived relation, alone and together with another."""
        row = ", ".join(f"X{i}" for i in range(len(types)))
        fitting = [relation for relation in self.derived if relation.types[: len(types)] == types]
        if not fitting:
            return []
        lines = []
        for name in ("pre", "post", "good"):
            relation = self.random.choice(fitting)
            rest = ["_"] * (len(relation.types) - len(types))
            unless = ", notin crash(X0, X0, _)" if types[0] == NODE and self.chance(0.5) else ""
            lines.append(f"{name}({row}) :- {relation.name}({', '.join([row, *rest])}){unless};")
        return lines

    def constant(self, kind: str) -> str:
        if kind == NUMBER:
            return str(self.random.randint(0, 3))
        return f'"{self.random.choice(self.nodes if kind == NODE else ["x", "y"])}"'

    def fact(self, relation: Relation) -> str:
        at = self.random.choice((1, 1, 1, 2, 3))
        return f"{relation.name}({', '.join(map(self.constant, relation.types))})@{at};"

    def persistence(self, relation: Relation) -> str:
        names = [f"X{i}" for i in range(len(relation.types))]
        row = ", ".join(names)
        unless = ""
        if self.chance(0.25):
            other = self.random.choice(self.inputs + self.derived)
            columns = ["X0"] + ["_"] * (len(other.types) - 1)
            unless = f", notin {other.name}({', '.join(columns)})"
        return f"{relation.name}({row})@next :- {relation.name}({row}){unless};"

    def rule(self, head: Relation, outcome: bool = False) -> str:
        kind = "" if outcome else self.random.choice(("", "", "@next", "@async", "@async"))
        return RuleMaker(self, head, kind, outcome).text()


class RuleMaker:
    """One random rule; `bound` holds its variables by type as the body binds them."""

    def __init__(self, generator: Generator, head: Relation, kind: str, outcome: bool) -> None:
        self.generator, self.head, self.kind, self.outcome = generator, head, kind, outcome
        self.random, self.chance = generator.random, generator.chance
        self.bound: dict[str, list[str]] = {NODE: [], NUMBER: [], TEXT: []}
        self.number = 0
        self.aggregated = self.chance(0.2) and NUMBER in head.types[1:] and not outcome

    def text(self) -> str:
        body = [self.first()]
        body += [self.positive() for _ in range(self.random.choice((0, 0, 1, 1, 2)))]
        body += [self.negative() for _ in range(self.random.choice((0, 0, 1, 1)))]
        numbers = self.bound[NUMBER]
        if numbers and self.chance(0.3):
            body.append(f"{self.random.choice(numbers)} {self.random.choice(('<', '>', '!=', '==', '<=', '>='))} {self.random.randint(0, 3)}")
        if len(self.bound[NODE]) > 1 and self.chance(0.3):
            body.append(f"{self.bound[NODE][0]} {self.random.choice(('!=', '<', '!='))} {self.bound[NODE][-1]}")
        columns = self.columns(body)
        rest = body[1:]
        self.random.shuffle(rest)
        return f"{self.head.name}({', '.join(columns)}){self.kind} :- {', '.join([body[0], *rest])};"

    def columns(self, body: list[str]) -> list[str]:
        columns = []
        for index, kind in enumerate(self.head.types):
            known = self.bound[kind]
            if kind == NUMBER and self.aggregated and index > 0 and any(self.bound.values()):
                self.aggregated = False
                function = self.random.choice(("min", "max") if self.generator.cycles else AGGREGATES)
                pool = known if function not in ("count",) else [v for vs in self.bound.values() for v in vs]
                if pool:
                    columns.append(f"{function}<{self.random.choice(pool)}>")
                    continue
            if index == 0 and self.kind != "@async" and self.bound[NODE] and not self.outcome and self.chance(0.85):
                columns.append(self.bound[NODE][0])
            elif known and self.chance(0.9):
                variable = self.random.choice(known)
                if kind == NUMBER and self.chance(0.25):
                    if self.kind == "":
                        body.append(f"{variable} < 3")
                    columns.append(f"{variable} {self.random.choice(('+ 1', '+ 1', '- 1', '* 2', '/ 2', '- 3 / 2'))}" if self.kind else f"{variable} + 1")
                else:
                    columns.append(variable)
            else:
                columns.append(self.generator.constant(kind))
        return columns

    def readable(self, strictly_lower: bool) -> list[Relation]:
        everything = self.generator.inputs + self.generator.derived
        if self.outcome or self.kind or self.generator.cycles:
            return everything
        limit = self.head.level - 1 if strictly_lower or self.aggregated else self.head.level
        return [relation for relation in everything if relation.level <= limit]

    def fresh(self, kind: str) -> str:
        self.number += 1
        name = f"V{self.number}"
        self.bound[kind].append(name)
        return name

    def argument(self, kind: str, anonymous: float = 0.1) -> str:
        if self.chance(anonymous):
            return "_"
        if self.chance(0.1):
            return self.generator.constant(kind)
        if self.bound[kind] and self.chance(0.45):
            return self.random.choice(self.bound[kind])
        return self.fresh(kind)

    def first(self) -> str:
        """The first literal; it decides where the rule fires."""
        draw = self.random.random()
        if draw < 0.08:
            return f"crash({self.fresh(NODE)}, {self.argument(NODE)}, {self.argument(NUMBER, 0.5)})"
        relation = self.random.choice(self.readable(False))
        if draw < 0.16:
            location = self.fresh(NODE)
            source = self.random.choice(self.readable(True))
            columns = [self.random.choice(("_", self.generator.constant(kind))) for kind in source.types[1:]]
            return f"notin {source.name}({', '.join([location, *columns])})"
        location = self.fresh(NODE)
        if draw < (0.5 if self.outcome else 0.24):
            self.bound[NODE].remove(location)
            location = "_"
        elif draw < 0.3:
            self.bound[NODE].remove(location)
            location = self.generator.constant(NODE)
        columns = [location] + [self.argument(kind) for kind in relation.types[1:]]
        return f"{relation.name}({', '.join(columns)}){self.time()}"

    def time(self) -> str:
        if self.outcome and self.chance(0.1):
            return f"@{self.random.randint(1, self.generator.bounds.eot + 1)}"
        return "@1" if self.chance(0.1) else ""

    def positive(self) -> str:
        if self.chance(0.12):
            return f"crash({self.argument(NODE)}, {self.argument(NODE)}, {self.argument(NUMBER, 0.6)})"
        relation = self.random.choice(self.readable(False))
        local = self.bound[NODE] and self.chance(0.6)
        location = self.bound[NODE][0] if local else self.argument(NODE)
        columns = [location] + [self.argument(kind) for kind in relation.types[1:]]
        return f"{relation.name}({', '.join(columns)}){self.time()}"

    def negative(self) -> str:
        if self.chance(0.3) and self.bound[NODE]:
            return f"notin crash({self.bound[NODE][0]}, {self.random.choice(self.bound[NODE])}, _)"
        relation = self.random.choice(self.readable(True))
        columns = []
        for kind in relation.types:
            draw = self.random.random()
            known = self.bound[kind]
            columns.append("_" if draw < 0.3 else self.random.choice(known) if known and draw < 0.9 else self.generator.constant(kind))
        return f"notin {relation.name}({', '.join(columns)}){self.time()}"


class Judge:
    """Runs both on a program and says where they differ."""

    def __init__(self, linchpin: pathlib.Path, strategies: list[str], folder: pathlib.Path, cycles: bool) -> None:
        self.cycles = cycles
        self.linchpin, self.strategies, self.file = linchpin, strategies, folder / "program.ded"
        self.seen: collections.Counter[str] = collections.Counter()

    def difference(self, clauses: list[str], bounds: Bounds, only: tuple[str, str] | None = None) -> tuple[str, str, str] | None:
        """(invariant, strategy, problem), or None; only the given combination if there is one."""
        self.file.write_text("\n".join(clauses) + "\n")
        for invariant in compare.INVARIANTS if only is None else (only[0],):
            expected = self.oracle(bounds, invariant)
            self.seen[expected.verdict + (" (vacuous)" if expected.vacuous else "")] += 1
            flags = compare.Scenario("", (self.file,), bounds.eot, bounds.eff, bounds.crashes, bounds.nodes, invariant).flags()
            for strategy in self.strategies if only is None else (only[1],):
                command = [str(self.linchpin), "check", *flags, "--strategy", strategy, "--format", "json"]
                answer = compare.ask(command, 60)
                if answer.verdict == "error" and expected.verdict == "error":
                    continue
                problems = compare.differences(answer, expected, None)
                if problems:
                    return invariant, strategy, "; ".join(problems)
        return None

    def oracle(self, bounds: Bounds, invariant: str) -> compare.Answer:
        try:
            if self.cycles:
                found = brute.decide(dedalus.load([self.file]), bounds, invariant, True) | {"warnings": []}
            else:
                found = oracle.decide([self.file], bounds, invariant, [], True)
        except dedalus.DedalusError as error:
            return compare.Answer("error", error=str(error))
        sets = [frozenset(tuple(sorted(f.items())) for f in c["faults"]) for c in found["counterexamples"]]  # type: ignore[attr-defined]
        if found["warnings"]:
            return compare.Answer("error", error=str(found["warnings"]))
        return compare.Answer(str(found["verdict"]), bool(found["vacuous"]), frozenset(sets))

    def shrink(self, clauses: list[str], bounds: Bounds, kind: tuple[str, str, str]) -> list[str]:
        """Drops clauses as long as the same combination still differs in the same way."""
        nature = kind[2].split()[0]
        smaller = True
        while smaller:
            smaller = False
            for index in range(len(clauses)):
                candidate = clauses[:index] + clauses[index + 1 :]
                found = self.difference(candidate, bounds, (kind[0], kind[1]))
                if found is not None and found[2].split()[0] == nature:
                    clauses, smaller = candidate, True
                    break
        return clauses


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--linchpin", type=pathlib.Path, default=compare.HERE / "../../target/release/linchpin")
    parser.add_argument("--strategy", action="append", help="may be repeated; default: lineage")
    parser.add_argument("--cycles", action="store_true", help="programs that negate through their own step, tiny bounds, judged by brute.py")
    parser.add_argument("--keep", type=pathlib.Path, help="where to put programs that are judged differently")
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(options.linchpin, options.strategy or ["lineage"], pathlib.Path(folder), options.cycles)
        for seed in range(options.seed, options.seed + options.count):
            generator = Generator(seed, options.cycles)
            clauses, bounds = generator.clauses(), generator.bounds
            found = judge.difference(clauses, bounds)
            if found is None:
                continue
            failures += 1
            clauses = judge.shrink(clauses, bounds, found)
            final = judge.difference(clauses, bounds, found[:2]) or found
            print(f"seed {seed}: {final[0]}, {final[1]}: {final[2]}\n  bounds {bounds}\n  " + "\n  ".join(clauses), flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                nodes = ", ".join(f'"{node}"' for node in bounds.nodes)
                header = f"//! eot = {bounds.eot}\n//! eff = {bounds.eff}\n//! crashes = {bounds.crashes}\n//! nodes = [{nodes}]\n"
                header += f'//! invariant = "{final[0]}"\n'
                (options.keep / f"seed_{seed}.ded").write_text(header + "\n".join(clauses) + "\n")
    print(", ".join(f"{number} {verdict}" for verdict, number in sorted(judge.seen.items())))
    print(f"{options.count} programs from seed {options.seed}: {failures} judged differently")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
