#!/usr/bin/env bash
# The gate: everything that must pass before a change lands, the same here and in CI.
#
#   scripts/check.sh            every step
#   scripts/check.sh STEP...    some: install format clippy deny build instructions test docs
#
# With CI=true a test that would be skipped (no browser, no network, no root) fails instead.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${CI:-}" = true ]; then
    export LINCHPIN_REQUIRE_ALL=1
fi
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

step_install() { scripts/install-tools.sh; }
step_format() { cargo fmt --all --check; }
step_clippy() { cargo clippy --workspace --all-targets --quiet -- -D warnings; }
step_deny() { cargo fetch --quiet && cargo deny --log-level error check licenses bans sources; }
step_build() { cargo build --release --quiet; }
step_instructions() { benches/instructions/check.sh "${CARGO_TARGET_DIR:-target}/release/linchpin"; }
step_test() { cargo test --workspace --quiet; }
step_docs() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet; }

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(install format clippy deny build instructions test docs)
failed=()
for step in "${steps[@]}"; do
    started=$SECONDS
    echo "==> $step"
    if "step_$step"; then
        echo "PASS $step ($((SECONDS - started)) s)"
    else
        echo "FAIL $step ($((SECONDS - started)) s)"
        failed+=("$step")
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}"
    exit 1
fi
echo "every step passed in $SECONDS s"
