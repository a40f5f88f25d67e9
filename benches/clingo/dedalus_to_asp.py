"""Translates a Dedalus program and its bounds into an answer-set program whose only choices are the faults.

Every row becomes an atom stamped with its time, `r3_log(T,"a","hello")`. Given the faults, the rest of the program is
deterministic (stratified over time and, within a step, over negation), so answer sets and fault sets correspond one to one.

The translation, rule by rule, where Loc is the first column of the first body literal:

    p(..)        :- body.    p(T,..)   :- step(T), node(Loc), body at T.
    p(..)@next   :- body.    p(T+1,..) :- step(T), T < eot, node(Loc), body at T.
    p(To,..)@async :- body.  p(T+1,..) :- step(T), T < eot, node(Loc), body at T, node(To), open(Loc,To,T).
    q(..)@N in a body        q(N,..)

A rule whose Loc is `_` is global: node(Loc) and open(..) are dropped. A `notin` with variables of its own is projected
first. An aggregate first collects its distinct (group, value) pairs, then counts, sums or compares them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

import dedalus
from dedalus import Aggregate, Binary, Comparison, Const, Literal, Program, Rule, Var

OUTCOMES = ("pre", "post", "good")
INT_MAX = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class Bounds:
    """The failure specification: last step, first step without losses, most crashes, nodes."""

    eot: int
    eff: int
    crashes: int
    nodes: tuple[str, ...]


FAULTS = """\
% Faults: the only choices. No losses at or after EFF; a node crashes once; at most `crashes` nodes crash.
step(1..eot).
{ omit(A,B,T) : node(A), node(B), A != B, T = 1..eff-1, T <= eot }.
{ crash(N,1..eot) } 1 :- node(N).
:- crashes+1 { crash(N,C) }.
% A channel is open unless the message is omitted or the sender has crashed; a message to oneself is never lost.
crashed(N,T) :- crash(N,C), step(T), C <= T.
open(A,A,T) :- node(A), step(T).
open(A,B,T) :- node(A), node(B), A != B, step(T), not omit(A,B,T), not crashed(A,T).
#heuristic omit(A,B,T). [1,false]
#heuristic crash(N,C). [1,false]
{ undefined } :- #false.
#show omit/3.
#show crash/2.
"""


class Translation:
    """The answer-set program of one Dedalus program, and the names its relations got."""

    def __init__(self, program: Program, bounds: Bounds) -> None:
        self.program, self.bounds = program, bounds
        self.lines: list[str] = []
        relations = {f.relation for f in program.facts}
        for rule in program.rules:
            relations |= {rule.relation} | {literal.relation for literal in rule.literals()}
        self.names = {name: f"r{i}_{re.sub('[^A-Za-z0-9]', '_', name)}" for i, name in enumerate(sorted(relations))}
        self.arity = {f.relation: len(f.values) for f in program.facts}
        self.arity |= {rule.relation: len(rule.args) for rule in program.rules}
        self.helpers = 0

    def text(self) -> str:
        bounds = self.bounds
        self.lines = [f"#const eot={bounds.eot}.", f"#const eff={bounds.eff}.", f"#const crashes={bounds.crashes}."]
        self.lines += [f"node({constant(name)})." for name in bounds.nodes]
        self.lines.append(FAULTS)
        if dedalus.CRASH in self.names:
            self.lines.append(f"{self.names[dedalus.CRASH]}(T,O,N,C) :- step(T), node(O), crash(N,C).")
        for fact in self.program.facts:
            if 1 <= fact.at <= bounds.eot:
                columns = ",".join([str(fact.at), *map(constant, fact.values)])
                self.lines.append(f"{self.names[fact.relation]}({columns}).")
        for rule in self.program.rules:
            self.lines.append(f"% {rule.place}")
            self.rule(rule)
        shown = {name: self.names[name] for name in OUTCOMES if name in self.arity}
        for name, atom in shown.items():
            columns = columns_of(self.arity[name])
            self.lines.append(f"{name}({columns}) :- {atom}(eot,{columns}).")
        self.lines += [f"#show {name}/{self.arity[name]}." for name in shown]
        return "\n".join(self.lines) + "\n"

    def check(self, invariant: str, reference: Iterable[Sequence[int | str]]) -> str:
        """What a counterexample must violate; `reference` holds the outcome rows of the failure-free run."""
        if invariant == "good":
            columns = columns_of(self.arity["good"])
            rows = [f"reference({','.join(map(constant, row))})." for row in reference]
            return "\n".join([*rows, f"bad :- reference({columns}), not good({columns}).", ":- not bad."])
        columns = columns_of(self.arity["post"])
        if invariant == "baseline":
            rows = [f"reference({','.join(map(constant, row))})." for row in reference]
            rule = f"bad :- reference({columns}), pre({columns}), not post({columns})."
            return "\n".join([*rows, rule, ":- not bad."])
        return f"bad :- pre({columns}), not post({columns}).\n:- not bad."

    def rule(self, rule: Rule) -> None:
        names = Names()
        body = ["step(T)"] + (["T < eot"] if rule.kind != "now" else [])
        location = rule.location()
        if location is not None:
            body.append(f"node({names.expression(location)})")
        for literal in rule.positives():
            body.append(self.atom(literal, names, body))
        body += [names.comparison(comparison) for comparison in rule.comparisons()]
        bound = dedalus.bound_variables(rule)
        for literal in rule.negatives():
            body.append(self.negative(literal, names, bound, body))
        self.undefined(rule, names, body)
        head = [("" if isinstance(arg, Aggregate) else names.expression(arg)) for arg in rule.args]
        if rule.kind == "async":
            body.append(f"node({head[0]})")
            if location is not None:
                body.append(f"open({names.expression(location)},{head[0]},T)")
        time = "T" if rule.kind == "now" else "T+1"
        atom = self.names[rule.relation]
        if not rule.aggregates():
            self.lines.append(f"{atom}({','.join([time, *head])}) :- {', '.join(body)}.")
        else:
            self.aggregate(rule, names, head, body, time)

    def undefined(self, rule: Rule, names: Names, body: list[str]) -> None:
        """A run divides by zero where every body term that does not need the quotient holds."""
        for term in [*rule.comparisons(), *rule.literals(), *rule.args]:
            for division in dedalus.divisions(term):
                quotient, divisor = names.expression(division), names.expression(division.right)
                others = [text for text in body if quotient not in text]
                self.lines.append(f"undefined :- {', '.join(others)}, {divisor} = 0.")

    def aggregate(self, rule: Rule, names: Names, head: list[str], body: list[str], time: str) -> None:
        """Members first (distinct pairs), then one term per aggregate column, all over the same group."""
        group = [f"G{i}" for i, arg in enumerate(rule.args) if not isinstance(arg, Aggregate)]
        values = [column for column, arg in zip(head, rule.args) if not isinstance(arg, Aggregate)]
        columns = [f"G{i}" for i in range(len(rule.args))]
        terms: list[str] = []
        for index, arg in rule.aggregates():
            member = self.helper("member")
            self.lines.append(f"{member}({','.join(['T', *values, names.variable(arg.variable)])}) :- {', '.join(body)}.")
            terms += self.fold(member, arg.function, group, f"G{index}")
            keys = f"{member}({','.join(['T', *group, '_'])})"
        self.lines.append(f"{self.names[rule.relation]}({','.join([time, *columns])}) :- {', '.join([keys, *terms])}.")

    def fold(self, member: str, function: str, group: list[str], result: str) -> list[str]:
        """Body terms that give `result` the aggregate of the members of the group."""
        row = ",".join(["T", *group])
        if function in ("min", "max"):
            better = self.helper("better")
            operator = "<" if function == "min" else ">"
            self.lines.append(f"{better}({row},X) :- {member}({row},X), {member}({row},Y), Y {operator} X.")
            return [f"{member}({row},{result})", f"not {better}({row},{result})"]
        if function == "count":
            return [f"{result} = #count {{ X : {member}({row},X) }}"]
        if function == "sum":
            return [f"{result} = #sum {{ X : {member}({row},X) }}"]
        total, number = f"S{result}", f"N{result}"
        return [
            f"{total} = #sum {{ X : {member}({row},X) }}",
            f"{number} = #count {{ X : {member}({row},X) }}",
            f"{result} = {total} / {number}",
        ]

    def atom(self, literal: Literal, names: Names, body: list[str]) -> str:
        """A literal's atom; a computed column becomes a variable of its own, equated in the body."""
        columns = [str(literal.at) if literal.at is not None else "T"]
        for arg in literal.args:
            if isinstance(arg, Binary):
                fresh = names.fresh()
                body.append(f"{fresh} = {names.expression(arg)}")
                columns.append(fresh)
            else:
                columns.append(names.expression(arg))
        return f"{self.names[literal.relation]}({','.join(columns)})"

    def negative(self, literal: Literal, names: Names, bound: set[Var], body: list[str]) -> str:
        """`not p(..)`; columns the rule does not bind are projected away by a helper first."""
        if all(v in bound for v in dedalus.variables(literal)):
            return f"not {self.atom(literal, names, body)}"
        helper, outer = self.helper("some"), []
        local = Names()
        inner = [f"C{i}" if not self.unbound(arg, bound) else local.expression(arg) for i, arg in enumerate(literal.args)]
        kept = [f"C{i}" for i, arg in enumerate(literal.args) if not self.unbound(arg, bound)]
        for arg in literal.args:
            if isinstance(arg, Binary):
                fresh = names.fresh()
                body.append(f"{fresh} = {names.expression(arg)}")
                outer.append(fresh)
            elif not self.unbound(arg, bound):
                outer.append(names.expression(arg))
        source = f"{self.names[literal.relation]}({','.join(['T', *inner])})"
        self.lines.append(f"{helper}({','.join(['T', *kept])}) :- {source}.")
        time = str(literal.at) if literal.at is not None else "T"
        return f"not {helper}({','.join([time, *outer])})"

    @staticmethod
    def unbound(arg: object, bound: set[Var]) -> bool:
        return isinstance(arg, Var) and arg not in bound

    def helper(self, purpose: str) -> str:
        self.helpers += 1
        return f"{purpose}{self.helpers}"


class Names:
    """The variables of one rule under names that cannot clash with the translation's own."""

    def __init__(self) -> None:
        self.known: dict[Var, str] = {}
        self.extra = 0

    def variable(self, variable: Var) -> str:
        return self.known.setdefault(variable, f"V{len(self.known)}")

    def fresh(self) -> str:
        self.extra += 1
        return f"F{self.extra}"

    def expression(self, term: object) -> str:
        match term:
            case Const(value):
                return constant(value)
            case Var():
                return self.variable(term)
            case Binary():
                return f"({self.expression(term.left)}{term.op}{self.expression(term.right)})"
        raise TypeError(term)

    def comparison(self, comparison: Comparison) -> str:
        operator = "=" if comparison.op == "==" else comparison.op
        return f"{self.expression(comparison.left)} {operator} {self.expression(comparison.right)}"


def columns_of(arity: int) -> str:
    return ",".join(f"V{i}" for i in range(arity))


def constant(value: int | str) -> str:
    if isinstance(value, int):
        if abs(value) > INT_MAX:
            raise dedalus.DedalusError(f"{value} does not fit clingo's 32-bit integers")
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
