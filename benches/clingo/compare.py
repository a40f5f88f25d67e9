#!/usr/bin/env python3
"""Compares `linchpin check` with the oracle: verdict, vacuity and the complete set of minimal counterexamples.

    ./compare.py ../../specs --install --linchpin ../../target/release/linchpin
    ./compare.py SCENARIOS.json --invariant all --strategy lineage --strategy symbolic

The argument is a folder of specifications with front matter, or a list of scenarios as `crosscheck.py` reads them. For
each the table gives the verdict, the number of minimal counterexamples, Linchpin's runs, and both times in milliseconds
(Linchpin's without, the oracle's without process start-up). Exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator

HERE = pathlib.Path(__file__).parent
INVARIANTS = ("implication", "baseline", "good")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What to check, and what to expect of it where that is known."""

    name: str
    files: tuple[pathlib.Path, ...]
    eot: int
    eff: int
    crashes: int
    nodes: tuple[str, ...]
    invariant: str = "implication"
    include: tuple[pathlib.Path, ...] = ()
    expect: str | None = None

    def flags(self) -> list[str]:
        return [
            *map(str, self.files),
            *(text for directory in self.include for text in ("-I", str(directory))),
            *("--eot", str(self.eot), "--eff", str(self.eff), "--crashes", str(self.crashes)),
            *("--nodes", ",".join(self.nodes), "--invariant", self.invariant, "--all"),
        ]

    def bounds(self) -> str:
        return f"{self.eot},{self.eff},{self.crashes}"


def scenarios(path: pathlib.Path) -> Iterator[Scenario]:
    if path.is_dir():
        for file in sorted(path.rglob("*.ded")):
            yield from front_matter(file, path)
        return
    for entry in json.loads(path.read_text()):
        yield Scenario(
            "+".join(pathlib.Path(name).stem for name in entry["files"]),
            tuple(path.parent / name for name in entry["files"]),
            entry["eot"],
            entry["eff"],
            entry["crashes"],
            tuple(entry["nodes"]),
            entry.get("invariant") or "implication",
            tuple(path.parent / name for name in entry.get("include", [])),
            entry.get("published"),
        )


def has_inputs(file: pathlib.Path) -> bool:
    """Whether a fact of the program has alternatives, which the oracle does not know."""
    code = "".join(line.partition("//")[0] for line in file.read_text().splitlines())
    included = re.findall(r'include\s*"([^"]*)"', code)
    return "{" in code or any(has_inputs(file.parent / name) for name in included)


def front_matter(file: pathlib.Path, root: pathlib.Path) -> Iterator[Scenario]:
    """The scenarios in the `//!` lines of a specification that ask for no more than losses and crashes; none for a part
    that others include."""
    lines = [line[3:] for line in file.read_text().splitlines() if line.startswith("//!")]
    if not lines:
        return
    common = tomllib.loads("\n".join(lines))
    tables = common.pop("scenario", None) or {"": {}}
    for name, table in tables.items():
        keys = common | table
        if {"max-delay", "recoveries", "crash-model"} & keys.keys() or has_inputs(file):
            continue
        yield Scenario(
            f"{file.relative_to(root).with_suffix('')} {name}".strip(),
            (file,),
            keys["eot"],
            keys.get("eff", 0),
            keys.get("crashes", 0),
            tuple(keys["nodes"]),
            keys.get("invariant", "implication"),
            (),
            keys.get("expect"),
        )


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one of the two tools said; `error` if it said nothing."""

    verdict: str
    vacuous: bool = False
    counterexamples: frozenset[frozenset[tuple[tuple[str, object], ...]]] = frozenset()
    runs: int = 0
    milliseconds: float = 0
    error: str = ""


def ask(command: list[str], seconds: int) -> Answer:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Answer("timeout")
    if done.returncode not in (0, 1, 3):
        lines = [line for line in done.stderr.splitlines() if line.startswith("error")] or done.stderr.splitlines()[-1:]
        return Answer("error", error=" ".join(lines)[:200])
    found = json.loads(done.stdout)
    sets = [frozenset(tuple(sorted(fault.items())) for fault in c["faults"]) for c in found["counterexamples"]]
    answer = Answer(
        found["verdict"], found["vacuous"], frozenset(sets), found.get("runs", 0), found["elapsed_ms"]
    )
    wanted = 1 if found["verdict"] == "broken" else 3 if found["vacuous"] or found["verdict"] == "unknown" else 0
    if len(sets) != len(answer.counterexamples):
        return dataclasses.replace(answer, error="the same counterexample twice")
    if done.returncode != wanted:
        return dataclasses.replace(answer, error=f"exit code {done.returncode}, not {wanted}")
    return answer


def differences(linchpin: Answer, oracle: Answer, expect: str | None) -> list[str]:
    found = [linchpin.error] if linchpin.error else []
    if linchpin.verdict != oracle.verdict:
        found.append(f"verdict {linchpin.verdict}, oracle {oracle.verdict} {oracle.error}".strip())
    elif "error" not in (linchpin.verdict, oracle.verdict):
        if linchpin.vacuous != oracle.vacuous:
            found.append(f"vacuous {linchpin.vacuous}, oracle {oracle.vacuous}")
        missing, extra = (
            oracle.counterexamples - linchpin.counterexamples,
            linchpin.counterexamples - oracle.counterexamples,
        )
        if missing:
            found.append(f"{len(missing)} counterexamples missing, as {sorted(map(sorted, missing), key=str)[0]}")
        if extra:
            found.append(f"{len(extra)} that are none or not minimal, as {sorted(map(sorted, extra), key=str)[0]}")
    if expect is not None and oracle.verdict in ("holds", "broken") and oracle.verdict != expect:
        found.append(f"oracle says {oracle.verdict}, expected {expect}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("--linchpin", type=pathlib.Path, default=HERE / "../../target/release/linchpin")
    parser.add_argument("--strategy", action="append", help="may be repeated; default: lineage")
    parser.add_argument("--invariant", choices=(*INVARIANTS, "all"), help="default: each scenario's own")
    parser.add_argument("--only", default="", help="names that contain this")
    parser.add_argument("--timeout", type=int, default=60, help="seconds for each answer")
    parser.add_argument("--install", action="store_true", help="install clingo for this Python first")
    options = parser.parse_args()
    if options.install:
        requirements = str(HERE / "requirements.txt")
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    failures, checked = 0, 0
    ratios: list[float] = []
    columns = f"{'verdict':8} {'minimal':>7} {'runs':>6} {'ms':>7} {'oracle':>7}"
    print(f"{'scenario':48} {'bounds':8} {'invariant':11} {'strategy':9} {columns}")
    for scenario in scenarios(options.path):
        if options.only not in scenario.name:
            continue
        modes = INVARIANTS if options.invariant == "all" else (options.invariant or scenario.invariant,)
        for mode in modes:
            # What is expected is expected under the scenario's own invariant.
            expect = scenario.expect if mode == scenario.invariant else None
            asked = dataclasses.replace(scenario, invariant=mode)
            oracle = ask([sys.executable, str(HERE / "oracle.py"), *asked.flags(), "--json"], options.timeout)
            for strategy in options.strategy or ["lineage"]:
                command = [str(options.linchpin), "check", *asked.flags(), "--strategy", strategy, "--format", "json"]
                linchpin = ask(command, options.timeout)
                problems = differences(linchpin, oracle, expect)
                if linchpin.verdict == oracle.verdict == "error" and not problems[1:]:
                    problems = []
                verdict = linchpin.verdict + ("*" if linchpin.vacuous else "")
                print(
                    f"{scenario.name[:48]:48} {scenario.bounds():8} {mode:11} {strategy:9} {verdict:8}"
                    f" {len(linchpin.counterexamples):7} {linchpin.runs:6} {linchpin.milliseconds:7} {oracle.milliseconds:7}"
                    + "".join(f"\n    DIFFERS: {problem}" for problem in problems),
                    flush=True,
                )
                checked += 1
                failures += bool(problems)
                if "holds" in verdict or "broken" in verdict:
                    ratios.append(oracle.milliseconds / max(linchpin.milliseconds, 0.5))
    median = f"; the oracle takes {statistics.median(ratios):.1f} times as long in the median" if ratios else ""
    print(f"{checked} compared, {failures} differ (* vacuous){median}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
