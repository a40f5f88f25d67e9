#!/usr/bin/env bash
# The agreement campaign: random programs on which everything that answers the same question must answer the same.
#
#   scripts/agree.sh CASES SEED
#
# CASES programs of each of six kinds (the published fault model; delays; inputs; recoveries; stopping crashes; all of
# them), from SEED on. A case is made by its seed alone. What is compared stands in docs/agreement.md. The first
# disagreement ends the campaign with the smallest program that shows it and the command that replays it.
#
# LINCHPIN_ORACLE_MAX: fault spaces up to this size are also enumerated by the naive oracle (default 160).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -ne 2 ]; then
    echo "usage: scripts/agree.sh CASES SEED" >&2
    exit 2
fi
echo "commit $(git rev-parse --short HEAD), $1 cases of each kind, from seed $2"
export LINCHPIN_CASES="$1" LINCHPIN_SEED="$2"
cargo test --quiet -p linchpin-simulator --test differential random_ -- --nocapture
cargo test --quiet -p linchpin-certificate --test certificate random_programs -- --nocapture
