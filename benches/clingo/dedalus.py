"""Dedalus source text to an abstract syntax tree: lexer, parser, includes, and the checks a reader of the tree relies on.

Written from the description of the language alone, so that it shares no mistakes with the Rust front end. It reports the
first error it meets as a `DedalusError`; good diagnostics are the product's business, not the oracle's.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterator, Sequence

AGGREGATES = ("count", "min", "max", "sum", "avg")
CRASH = "crash"
"""The built-in relation crash(Observer, Node, CrashTime)."""


class DedalusError(Exception):
    """A program that has no meaning, with the place of the mistake in the message."""


# --- Abstract syntax ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Const:
    value: int | str


@dataclasses.dataclass(frozen=True)
class Var:
    name: str


@dataclasses.dataclass(frozen=True)
class Binary:
    op: str
    left: Expr
    right: Expr


@dataclasses.dataclass(frozen=True)
class Aggregate:
    function: str
    variable: Var


Expr = Const | Var | Binary


@dataclasses.dataclass(frozen=True)
class Literal:
    relation: str
    args: tuple[Expr, ...]
    negated: bool = False
    at: int | None = None
    """An absolute time to read at; None reads now."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    op: str
    left: Expr
    right: Expr


@dataclasses.dataclass(frozen=True)
class Fact:
    relation: str
    values: tuple[int | str, ...]
    at: int


@dataclasses.dataclass(frozen=True)
class Rule:
    relation: str
    args: tuple[Expr | Aggregate, ...]
    kind: str
    """One of "now" (deductive), "next" and "async"."""
    body: tuple[Literal | Comparison, ...]
    place: str

    def literals(self) -> list[Literal]:
        return [term for term in self.body if isinstance(term, Literal)]

    def comparisons(self) -> list[Comparison]:
        return [term for term in self.body if isinstance(term, Comparison)]

    def positives(self) -> list[Literal]:
        return [literal for literal in self.literals() if not literal.negated]

    def negatives(self) -> list[Literal]:
        return [literal for literal in self.literals() if literal.negated]

    def aggregates(self) -> list[tuple[int, Aggregate]]:
        return [(i, arg) for i, arg in enumerate(self.args) if isinstance(arg, Aggregate)]

    def location(self) -> Expr | None:
        """Where the rule fires: the first column of its first body literal; None if it is global."""
        first = self.literals()[0].args[0]
        return None if isinstance(first, Var) and is_wildcard(first) else first


@dataclasses.dataclass(frozen=True)
class Program:
    facts: tuple[Fact, ...]
    rules: tuple[Rule, ...]

    def derived(self) -> set[str]:
        return {rule.relation for rule in self.rules} | {fact.relation for fact in self.facts}


def is_wildcard(term: object) -> bool:
    """The parser numbers the occurrences of `_` apart; no name a program can write starts with a hash."""
    return isinstance(term, Var) and term.name.startswith("#")


def variables(term: object) -> Iterator[Var]:
    """The variables of an expression, an aggregate, a literal or a comparison, wildcards included."""
    match term:
        case Var():
            yield term
        case Binary() | Comparison():
            yield from variables(term.left)
            yield from variables(term.right)
        case Aggregate():
            yield term.variable
        case Literal():
            for arg in term.args:
                yield from variables(arg)


# --- Lexer -------------------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<time>@\s*[A-Za-z0-9]+)
    | (?P<word>[A-Za-z0-9_?][A-Za-z0-9._?@]*)
    | (?P<symbol>:-|==|!=|<=|>=|[-+*/()<>,;])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    place: str


def tokens(text: str, file: str) -> list[Token]:
    found: list[Token] = []
    position, line = 0, 1
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise DedalusError(f"{file}:{line}: unexpected character {text[position]!r}")
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, match.group(), f"{file}:{line}"))
        line += match.group().count("\n")
        position = match.end()
    found.append(Token("end", "end of file", f"{file}:{line}"))
    return found


def unquote(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), m.group(1)), text[1:-1])


# --- Parser ------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Include:
    name: str
    place: str


class Parser:
    """Recursive descent over the tokens of one file."""

    def __init__(self, text: str, file: str) -> None:
        self.tokens = tokens(text, file)
        self.next = 0
        self.wildcards = 0

    def peek(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        token = self.tokens[self.next]
        self.next = min(self.next + 1, len(self.tokens) - 1)
        return token

    def accept(self, text: str) -> bool:
        if self.peek().kind in ("symbol", "word") and self.peek().text == text:
            self.take()
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"expected `{text}`")

    def fail(self, message: str) -> None:
        raise DedalusError(f"{self.peek().place}: {message}, found `{self.peek().text}`")

    def clauses(self) -> Iterator[Include | Fact | Rule]:
        while self.peek().kind != "end":
            yield self.clause()

    def clause(self) -> Include | Fact | Rule:
        start = self.peek()
        if start.text == "include" and self.tokens[self.next + 1].kind == "string":
            self.take()
            name = unquote(self.take().text)
            self.expect(";")
            return Include(name, start.place)
        relation, args = self.atom(head=True)
        time = self.time()
        if self.accept(";"):
            if time is None or not time.isdigit():
                raise DedalusError(f"{start.place}: a fact carries its time, as in `{relation}(..)@1`")
            return Fact(relation, tuple(self.constant(arg, start) for arg in args), int(time))
        if time is not None and time.isdigit():
            raise DedalusError(f"{start.place}: the head of a rule cannot name an absolute time")
        self.expect(":-")
        body = [self.term()]
        while self.accept(","):
            body.append(self.term())
        self.expect(";")
        rule = Rule(relation, tuple(args), time or "now", tuple(body), start.place)
        check_bindings(rule)
        return rule

    def constant(self, arg: Expr | Aggregate, start: Token) -> int | str:
        if isinstance(arg, Aggregate) or any(True for _ in variables(arg)):
            raise DedalusError(f"{start.place}: a fact holds constants only")
        return evaluate(arg, {})

    def atom(self, head: bool) -> tuple[str, list[Expr | Aggregate]]:
        name = self.take()
        if name.kind != "word" or not name.text[0].islower():
            raise DedalusError(f"{name.place}: expected a relation, found `{name.text}`")
        self.expect("(")
        args: list[Expr | Aggregate] = []
        while not self.accept(")"):
            if args:
                self.expect(",")
            args.append(self.argument(head))
        return name.text, args

    def argument(self, head: bool) -> Expr | Aggregate:
        token, after = self.peek(), self.tokens[min(self.next + 1, len(self.tokens) - 1)]
        if head and token.kind == "word" and token.text[0].islower() and after.text == "<":
            if token.text not in AGGREGATES:
                self.fail("expected an aggregate (count, min, max, sum, avg)")
            self.take()
            self.take()
            variable = self.expression()
            self.expect(">")
            if not isinstance(variable, Var) or is_wildcard(variable):
                raise DedalusError(f"{token.place}: an aggregate ranges over a named variable")
            return Aggregate(token.text, variable)
        return self.expression()

    def time(self) -> str | None:
        """The suffix of an atom: "next", "async", the digits of an absolute time, or None."""
        if self.peek().kind != "time":
            return None
        token = self.take()
        text = token.text[1:].strip()
        if text not in ("next", "async") and not text.isdigit():
            raise DedalusError(f"{token.place}: expected @next, @async or a time, found `{token.text}`")
        if text.isdigit() and int(text) == 0:
            raise DedalusError(f"{token.place}: time starts at 1")
        return text

    def term(self) -> Literal | Comparison:
        negated = self.peek().text == "notin" and self.tokens[self.next + 1].kind == "word"
        if negated:
            self.take()
        token = self.peek()
        if token.kind == "word" and token.text[0].islower():
            relation, args = self.atom(head=False)
            time = self.time()
            # `crash` holds at every time alike.
            at = int(time) if time is not None and time.isdigit() and relation != CRASH else None
            return Literal(relation, tuple(args), negated, at)  # type: ignore[arg-type]
        left = self.expression()
        operator = self.take()
        if operator.text not in ("==", "!=", "<", ">", "<=", ">="):
            raise DedalusError(f"{operator.place}: expected a comparison, found `{operator.text}`")
        return Comparison(operator.text, left, self.expression())

    def expression(self) -> Expr:
        left = self.product()
        while self.peek().kind == "symbol" and self.peek().text in "+-":
            left = Binary(self.take().text, left, self.product())
        return left

    def product(self) -> Expr:
        left = self.primary()
        while self.peek().kind == "symbol" and self.peek().text in "*/":
            left = Binary(self.take().text, left, self.primary())
        return left

    def primary(self) -> Expr:
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.accept("-"):
            return Binary("-", Const(0), self.primary())
        token = self.take()
        if token.kind == "string":
            return Const(unquote(token.text))
        if token.kind == "word" and token.text.isdigit():
            return Const(int(token.text))
        if token.text == "_":
            self.wildcards += 1
            return Var(f"#{self.wildcards}")
        if token.kind == "word" and (token.text[0].isupper() or token.text[0] == "_"):
            return Var(token.text)
        raise DedalusError(f"{token.place}: expected a constant or a variable, found `{token.text}`")


def check_bindings(rule: Rule) -> None:
    """Every variable is bound by a positive literal, is the rule's location, or is existential under one `notin`."""
    if not rule.literals():
        raise DedalusError(f"{rule.place}: a rule needs a body literal, which says where it fires")
    if any(not literal.args for literal in rule.literals()) or not rule.args:
        raise DedalusError(f"{rule.place}: a relation needs a first column, its location")
    bound = bound_variables(rule)
    needed = [v for c in rule.comparisons() for v in variables(c)] + [v for a in rule.args for v in variables(a)]
    needed += [v for lit in rule.literals() for a in lit.args if isinstance(a, Binary) for v in variables(a)]
    seen: dict[Var, int] = {}
    for number, literal in enumerate(rule.negatives()):
        for variable in set(variables(literal)) - bound:
            if seen.setdefault(variable, number) != number:
                needed.append(variable)
    for variable in needed:
        if variable not in bound:
            raise DedalusError(f"{rule.place}: variable `{variable.name}` is not bound")


def bound_variables(rule: Rule) -> set[Var]:
    """Variables standing alone in a column of a positive literal, and the rule's location."""
    bound = {arg for literal in rule.positives() for arg in literal.args if isinstance(arg, Var)}
    location = rule.location()
    return bound | {location} if isinstance(location, Var) else bound


def divisions(term: object) -> Iterator[Binary]:
    """The divisions inside an expression, a comparison or a literal, innermost first."""
    match term:
        case Binary() | Comparison():
            yield from divisions(term.left)
            yield from divisions(term.right)
            if term.op == "/":
                yield term  # type: ignore[misc]
        case Literal():
            for arg in term.args:
                yield from divisions(arg)


# --- Values ------------------------------------------------------------------------------------------------------------


def evaluate(term: Expr, row: dict[Var, int | str]) -> int | str:
    """The value of an expression; integers are 64 bits wide and division truncates toward zero."""
    match term:
        case Const(value):
            return value
        case Var():
            return row[term]
    left, right = evaluate(term.left, row), evaluate(term.right, row)
    if not isinstance(left, int) or not isinstance(right, int):
        raise DedalusError(f"arithmetic on strings: {left!r} {term.op} {right!r}")
    match term.op:
        case "+":
            value = left + right
        case "-":
            value = left - right
        case "*":
            value = left * right
        case _:
            if right == 0:
                raise DedalusError("division by zero")
            value = truncated(left, right)
    if not -(2**63) <= value < 2**63:
        raise DedalusError("integer overflow")
    return value


def truncated(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


# --- Files -------------------------------------------------------------------------------------------------------------


def load(files: Sequence[pathlib.Path], include_directories: Sequence[pathlib.Path] = ()) -> Program:
    """Reads the files as one program, following includes; each file counts once."""
    facts: list[Fact] = []
    rules: list[Rule] = []
    read: set[pathlib.Path] = set()

    def visit(path: pathlib.Path) -> None:
        if path.resolve() in read:
            return
        read.add(path.resolve())
        for clause in Parser(path.read_text(encoding="utf-8"), str(path)).clauses():
            match clause:
                case Fact():
                    facts.append(clause)
                case Rule():
                    rules.append(clause)
                case Include():
                    places = [files[0].parent, path.parent, *include_directories]
                    hits = [place / clause.name for place in places if (place / clause.name).is_file()]
                    if not hits:
                        raise DedalusError(f"{clause.place}: cannot find the include {clause.name!r}")
                    visit(hits[0])

    for file in files:
        visit(file)
    program = Program(tuple(facts), tuple(rules))
    check_arities(program)
    return program


def check_arities(program: Program) -> None:
    arities = {CRASH: 3}
    uses = [(f.relation, len(f.values), f"fact {f.relation}") for f in program.facts]
    for rule in program.rules:
        uses.append((rule.relation, len(rule.args), rule.place))
        uses += [(literal.relation, len(literal.args), rule.place) for literal in rule.literals()]
    for relation, arity, place in uses:
        if arities.setdefault(relation, arity) != arity:
            raise DedalusError(f"{place}: `{relation}` has {arity} columns here and {arities[relation]} elsewhere")
    if CRASH in program.derived():
        raise DedalusError("`crash` is built in and cannot be derived")
