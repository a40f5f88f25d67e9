#!/usr/bin/env python3
"""Time to verdict beside clingo's: every specification, at its published bounds and at multiples of them.

    cargo build --release && ./compare_speed.py [--factors 1,2,4] [--repeats 7] [--linchpin PATH] [--only SUBSTRING] [--markdown]

Both answer the same question (verdict and, if broken, one minimal counterexample) in one run of this script on one machine, in turn.
For clingo: parsing, grounding and solving of the encoding, without the start of Python, the reading of Dedalus and the translation.
For Linchpin: the whole process less its start-up (that of `linchpin --version`, measured beside it). Both in processor time, of which one thread of each
makes use, because it is steadier than wall time; medians over the repetitions. A verdict that differs is an error.

Without clingo, this script makes itself a virtual environment beside it (`.venv`) and installs it there.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


EXTENSIONS = {"max-delay", "recoveries", "durable", "crash-model"}
"""Keys of scenarios beyond the published fault model, which the encoding does not have."""


def is_translatable(path: pathlib.Path) -> bool:
    """False for a program with inputs to choose."""
    import dedalus

    try:
        dedalus.load([path], [])
    except dedalus.DedalusError as error:
        print(f"left out: {error}", file=sys.stderr)
        return False
    return True


def ensure_clingo() -> None:
    try:
        import clingo  # noqa: F401
    except ImportError:
        venv = HERE / ".venv"
        python = venv / "bin" / "python"
        if pathlib.Path(sys.executable) == python:
            raise
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", "clingo"], check=True)
        os.execv(python, [str(python), *sys.argv])


def scenarios(only: str) -> list[dict[str, object]]:
    """The scenarios in the front matter of every specification."""
    found = []
    for path in sorted((ROOT / "specs").rglob("*.ded")):
        lines = [line[3:].strip() for line in path.read_text().splitlines() if line.startswith("//!")]
        if not lines:
            continue
        base = tomllib.loads("\n".join(lines))
        for name, own in (base.pop("scenario", None) or {"": {}}).items():
            scenario = {**base, **own, "path": path, "name": f"{path.stem} {name}".strip()}
            if EXTENSIONS & scenario.keys():
                continue
            if "eot" in scenario and only in str(scenario["name"]):
                found.append(scenario)
    return found


def linchpin(command: list[str]) -> tuple[float, int, str]:
    """Processor time in seconds, exit code, output."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, process.returncode, output


def asp(scenario: dict[str, object], bounds: object) -> tuple[float, str]:
    """Processor time in seconds, verdict."""
    import dedalus
    import oracle
    from dedalus_to_asp import Translation

    program = dedalus.load([scenario["path"]], [])
    invariant = str(scenario.get("invariant", "implication"))
    start = time.process_time()
    Translation(program, bounds).text()
    translated = time.process_time()
    counterexamples = oracle.Oracle(program, bounds, invariant).counterexamples(False)
    end = time.process_time()
    return (end - translated) - (translated - start), "broken" if counterexamples else "holds"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factors", default="1,2,4")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--linchpin", default=str(ROOT / "target" / "release" / "linchpin"))
    parser.add_argument("--strategy", default="auto")
    parser.add_argument("--only", default="")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/benchmarks.md")
    options = parser.parse_args()
    ensure_clingo()
    sys.path.insert(0, str(HERE))
    from dedalus_to_asp import Bounds

    startups = []
    wrong = 0
    subjects = [scenario for scenario in scenarios(options.only) if is_translatable(scenario["path"])]
    for factor in map(int, options.factors.split(",")):
        ratios = []
        print(f"\n### {factor} x the published bounds\n" if options.markdown else f"\n{factor} x the published bounds")
        print("| specification | verdict | clingo, ms | linchpin, ms | ratio |\n|---|---|---:|---:|---:|")
        for scenario in subjects:
            eot, eff = int(scenario["eot"]) * factor, int(scenario.get("eff", 0)) * factor
            crashes, nodes = int(scenario.get("crashes", 0)), tuple(scenario["nodes"])
            command = [options.linchpin, "check", str(scenario["path"]), "--quiet", "--format", "json"]
            command += ["--eot", str(eot), "--eff", str(eff), "--crashes", str(crashes), "--nodes", ",".join(nodes)]
            command += ["--invariant", str(scenario.get("invariant", "implication")), "--strategy", options.strategy]
            pairs, verdicts = [], set()
            for _ in range(options.repeats):
                # All three after the same work, since what runs before leaves the caches warm or cold.
                theirs, verdict = asp(scenario, Bounds(eot, eff, crashes, nodes))
                startup, _, _ = linchpin([options.linchpin, "--version"])
                asp(scenario, Bounds(eot, eff, crashes, nodes))
                ours, _, output = linchpin(command)
                startups.append(startup)
                pairs.append((theirs, max(ours - startup, 1e-6)))
                verdicts |= {verdict, json.loads(output)["verdict"] if output else "nothing"}
                if sum(pairs[-1]) > 5 and len(pairs) >= 2:
                    break
            if len(verdicts) > 1:
                wrong += 1
            theirs, ours = (statistics.median(column) for column in zip(*pairs))
            ratio = statistics.median(a / b for a, b in pairs)
            ratios.append(ratio)
            verdict = " / ".join(sorted(verdicts))
            print(f"| {scenario['name']} | {verdict} | {theirs * 1e3:.2f} | {ours * 1e3:.2f} | {ratio:.1f} |", flush=True)
        print(f"\nRatio: median {statistics.median(ratios):.1f}, least {min(ratios):.1f}, most {max(ratios):.1f}.")
    print(f"\nStart-up of linchpin: {statistics.median(startups) * 1000:.2f} ms.")
    if wrong:
        print(f"error: {wrong} verdicts differ", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
