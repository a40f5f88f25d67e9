#!/usr/bin/env python3
"""The same answers as `oracle.py`, by running every fault set: no solver, no index, no cleverness.

    ./brute.py FILE... --eot 4 --eff 2 --crashes 1 --nodes a,b [--invariant ..] [--all] [--json] [--max-runs N]

The number of runs is exponential in the bounds; use it to check the translation on small ones. Run directly on many programs it
is also the only judge here of programs that are not stratified: it computes the well-founded model of each step by the
alternating fixpoint and refuses a run in which the model is not total.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator, Sequence

import dedalus
import oracle
from dedalus import Aggregate, Comparison, Const, Literal, Program, Rule, Var
from dedalus_to_asp import Bounds
from oracle import Fault, Row

Rows = dict[str, set[Row]]
"""The rows of each relation at one time."""
Binding = dict[Var, int | str]


class Evaluator:
    """Runs a program under one fault set after another."""

    def __init__(self, program: Program, bounds: Bounds) -> None:
        self.program, self.bounds = program, bounds
        self.ahead = [rule for rule in program.rules if max_time(rule) > 1]
        usual = [rule for rule in program.rules if max_time(rule) <= 1]
        self.strata = strata([rule for rule in usual if rule.kind == "now"])
        self.later = [rule for rule in usual if rule.kind != "now"]

    def run(self, faults: frozenset[Fault]) -> list[Rows]:
        """The rows at times 0..EOT; time 0 is empty, so that the index is the time."""
        self.omitted = {(a, b, at) for at, kind, a, b in faults if kind == "omit"}
        self.crashed = {node: at for at, kind, node, _ in faults if kind == "crash"}
        self.history: list[Rows] = [{} for _ in range(self.bounds.eot + 2)]
        crashes = {(o, n, at) for o in self.bounds.nodes for n, at in self.crashed.items()}
        for at in range(1, self.bounds.eot + 1):
            self.history[at].setdefault(dedalus.CRASH, set()).update(crashes)
        for fact in self.program.facts:
            if 1 <= fact.at <= self.bounds.eot:
                self.history[fact.at].setdefault(fact.relation, set()).add(fact.values)
        for at in range(1, self.bounds.eot + 1):
            for stratum, negative in self.strata:
                self.settle(stratum, negative, at)
            for rule in self.later:
                self.add(at + 1, rule.relation, self.heads(rule, at, self.history[at], self.history[at]))
        for at in range(1, self.bounds.eot + 1):
            for rule in self.ahead:
                rows = set(self.heads(rule, at, self.history[at], self.history[at]))
                self.add(at if rule.kind == "now" else at + 1, rule.relation, rows)
        return self.history[: self.bounds.eot + 1]

    def add(self, at: int, relation: str, rows: Iterator[Row] | set[Row]) -> None:
        self.history[at].setdefault(relation, set()).update(set(rows))

    def settle(self, rules: Sequence[Rule], negative: bool, at: int) -> None:
        """Brings one stratum of one step to its (well-founded) fixpoint."""
        if not negative:
            self.history[at] = self.closure(rules, at, self.history[at], None)
            return
        base = self.history[at]
        under = base
        while True:
            over = self.closure(rules, at, base, under)
            higher = self.closure(rules, at, base, over)
            if higher == under:
                break
            under = higher
        if over != under:
            heads = sorted({rule.relation for rule in rules})
            raise dedalus.DedalusError(f"no total well-founded model at time {at}: {', '.join(heads)}")
        self.history[at] = under

    def closure(self, rules: Sequence[Rule], at: int, base: Rows, against: Rows | None) -> Rows:
        """The least fixpoint over `base`, negation and better members being read in `against` (or as it stands)."""
        rows = {relation: set(found) for relation, found in base.items()}
        grew = True
        while grew:
            grew = False
            for rule in rules:
                found = set(self.heads(rule, at, rows, rows if against is None else against))
                known = rows.setdefault(rule.relation, set())
                grew |= not found <= known
                known |= found
        return {relation: found for relation, found in rows.items() if found}

    def heads(self, rule: Rule, at: int, rows: Rows, against: Rows) -> Iterator[Row]:
        """The rows a rule derives at time `at`."""
        if not rule.aggregates():
            for binding in self.bindings(rule, at, rows, against):
                yield tuple(dedalus.evaluate(arg, binding) for arg in rule.args)  # type: ignore[arg-type]
            return
        members = self.groups(rule, self.bindings(rule, at, rows, against))
        rivals = self.groups(rule, self.bindings(rule, at, against, rows)) if against is not rows else members
        for group, columns in members.items():
            choices = []
            for (_, aggregate), column, rival in zip(rule.aggregates(), columns, rivals.get(group, columns)):
                if aggregate.function in ("min", "max"):
                    best = (min if aggregate.function == "min" else max)(column | rival, key=sort_key)
                    choices.append([value for value in column if value == best])
                else:
                    choices.append([fold(aggregate.function, column)])
            for picked in itertools.product(*choices):
                row, values = list(group), iter(picked)
                for index, _ in rule.aggregates():
                    row[index] = next(values)
                yield tuple(row)

    def groups(self, rule: Rule, bindings: Iterator[Binding]) -> dict[Row, list[set[int | str]]]:
        """Per group (its row with zeros in the aggregate columns), the distinct values of each aggregate."""
        found: dict[Row, list[set[int | str]]] = {}
        for binding in bindings:
            key = tuple(0 if isinstance(a, Aggregate) else dedalus.evaluate(a, binding) for a in rule.args)
            columns = found.setdefault(key, [set() for _ in rule.aggregates()])
            for (_, aggregate), column in zip(rule.aggregates(), columns):
                column.add(binding[aggregate.variable])
        return found

    def bindings(self, rule: Rule, at: int, rows: Rows, against: Rows) -> Iterator[Binding]:
        location = rule.location()
        starts: list[Binding] = [{}]
        if isinstance(location, Var):
            starts = [{location: node} for node in self.bounds.nodes]
        elif isinstance(location, Const) and location.value not in self.bounds.nodes:
            return
        elif location is not None and not isinstance(location, Const):
            return
        for start in starts:
            for binding in self.join(rule.positives(), start, at, rows):
                if not all(holds(comparison, binding) for comparison in rule.comparisons()):
                    continue
                if any(True for literal in rule.negatives() for _ in self.join([literal], binding, at, against)):
                    continue
                if rule.kind != "async" or self.arrives(rule, location, binding, at):
                    yield binding

    def join(self, literals: Sequence[Literal], binding: Binding, at: int, rows: Rows) -> Iterator[Binding]:
        if not literals:
            yield binding
            return
        literal, rest = literals[0], literals[1:]
        time_read = at if literal.at is None else literal.at
        if time_read == at:
            candidates = rows.get(literal.relation, set())
        elif 1 <= time_read <= self.bounds.eot:
            candidates = self.history[time_read].get(literal.relation, set())
        else:
            candidates = set()
        for row in list(candidates):
            extended = dict(binding)
            delayed = []
            matches = True
            for arg, value in zip(literal.args, row):
                if isinstance(arg, Var):
                    matches = extended.setdefault(arg, value) == value
                elif isinstance(arg, Const):
                    matches = arg.value == value
                else:
                    delayed.append(Comparison("==", arg, Const(value)))
                if not matches:
                    break
            if matches:
                for further in self.join(rest, extended, at, rows):
                    if all(holds(comparison, further) for comparison in delayed):
                        yield further

    def arrives(self, rule: Rule, location: object, binding: Binding, at: int) -> bool:
        receiver = dedalus.evaluate(rule.args[0], binding)  # type: ignore[arg-type]
        if receiver not in self.bounds.nodes:
            return False
        if location is None:
            return True
        sender = dedalus.evaluate(location, binding)  # type: ignore[arg-type]
        if sender == receiver:
            return True
        return (sender, receiver, at) not in self.omitted and at < self.crashed.get(str(sender), at + 1)


def holds(comparison: Comparison, binding: Binding) -> bool:
    left, right = dedalus.evaluate(comparison.left, binding), dedalus.evaluate(comparison.right, binding)
    if comparison.op in ("==", "!="):
        return (left == right) == (comparison.op == "==")
    a, b = sort_key(left), sort_key(right)
    return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[comparison.op]


def sort_key(value: int | str) -> tuple[int, int, bytes]:
    return (0, value, b"") if isinstance(value, int) else (1, 0, value.encode())


def fold(function: str, values: set[int | str]) -> int:
    if function == "count":
        return len(values)
    total = sum(int(value) for value in values)
    return total if function == "sum" else dedalus.truncated(total, len(values))


def max_time(rule: Rule) -> int:
    return max((literal.at or 0 for literal in rule.literals()), default=0)


def within_step(literal: Literal) -> bool:
    """Whether the literal can read its own step; one that reads at time 1 does so at time 1."""
    return literal.at is None or literal.at == 1


def strata(rules: Sequence[Rule]) -> list[tuple[list[Rule], bool]]:
    """The deductive rules by strongly connected component, dependencies first; True where one negates itself."""
    derived = {rule.relation for rule in rules}
    reads = {
        relation: {
            literal.relation
            for rule in rules
            if rule.relation == relation
            for literal in rule.literals()
            if within_step(literal) and literal.relation in derived
        }
        for relation in sorted(derived)
    }
    reach = {relation: reachable(relation, reads) for relation in reads}
    components: list[set[str]] = []
    for relation in reads:
        component = {relation} | {other for other in reach[relation] if relation in reach[other]}
        if component not in components:
            components.append(component)
    components.sort(key=lambda component: (len(set().union(*(reach[r] for r in component)) | component), sorted(component)))
    result = []
    for component in components:
        inside = [rule for rule in rules if rule.relation in component]
        negative = any(
            literal.relation in component and within_step(literal) and (literal.negated or rule.aggregates())
            for rule in inside
            for literal in rule.literals()
        )
        folded = any(a.function in ("count", "sum", "avg") for rule in inside for _, a in rule.aggregates())
        if negative and folded:
            raise dedalus.DedalusError(f"count, sum or avg through its own step: {', '.join(sorted(component))}")
        result.append((inside, negative))
    return result


def reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(edges[start])
    while todo:
        relation = todo.pop()
        if relation not in found:
            found.add(relation)
            todo += edges[relation]
    return found


def fault_sets(bounds: Bounds) -> Iterator[frozenset[Fault]]:
    """Every fault set within the bounds, smaller ones first."""
    omissions = [
        (at, "omit", a, b) for at in range(1, bounds.eff) for a in bounds.nodes for b in bounds.nodes if a != b
    ]
    crash_sets = [
        tuple((at, "crash", node, "") for node, at in zip(crashed, times))
        for size in range(bounds.crashes + 1)
        for crashed in itertools.combinations(bounds.nodes, size)
        for times in itertools.product(range(1, bounds.eot + 1), repeat=size)
    ]
    for size in range(len(omissions) + bounds.crashes + 1):
        for crashes in crash_sets:
            if 0 <= size - len(crashes) <= len(omissions):
                for lost in itertools.combinations(omissions, size - len(crashes)):
                    yield frozenset(lost + crashes)


def decide(
    program: Program, bounds: Bounds, invariant: str, every: bool, runs_max: int | None = None
) -> dict[str, object]:
    """The answer in the form of `oracle.decide`, plus the number of runs; supersets of counterexamples are skipped."""
    start = time.monotonic()
    oracle.check(program, bounds, invariant)
    evaluator = Evaluator(program, bounds)

    def at_end(faults: frozenset[Fault], relation: str) -> set[Row]:
        return evaluator.run(faults)[bounds.eot].get(relation, set())

    wanted = {"implication": "pre", "baseline": "post", "good": "good"}[invariant]
    reference = at_end(frozenset(), wanted)
    found: list[frozenset[Fault]] = []
    runs = 0
    verdict = "holds"
    for faults in fault_sets(bounds):
        if any(known <= faults for known in found):
            continue
        if runs_max is not None and runs >= runs_max:
            verdict = "unknown"
            break
        runs += 1
        rows = evaluator.run(faults)[bounds.eot]
        pre, post, good = (rows.get(name, set()) for name in ("pre", "post", "good"))
        bad = {"implication": pre - post, "baseline": (reference & pre) - post, "good": reference - good}[invariant]
        if bad:
            found.append(faults)
            if not every:
                break
    found.sort(key=lambda faults: (len(faults), sorted(faults)))
    return {
        "verdict": "broken" if found else verdict,
        "vacuous": not reference,
        "counterexamples": [{"faults": [oracle.as_json(fault) for fault in sorted(faults)]} for faults in found],
        "runs": runs,
        "elapsed_ms": round((time.monotonic() - start) * 1000),
    }


def main() -> int:
    parser = oracle.arguments()
    parser.description = __doc__
    parser.add_argument("--max-runs", type=int)
    options = parser.parse_args()
    bounds = Bounds(options.eot, options.eff, options.crashes, tuple(options.nodes.split(",")))
    try:
        program = dedalus.load(options.files, options.include)
        answer = decide(program, bounds, options.invariant, options.all, options.max_runs)
    except (dedalus.DedalusError, OSError, UnicodeDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(answer))
    return {"broken": 1, "unknown": 3}.get(str(answer["verdict"]), 3 if answer["vacuous"] else 0)


if __name__ == "__main__":
    sys.exit(main())
