#!/bin/sh
# Installs what some tests use and skip without: Chromium and chromedriver (the HTML report in a
# real browser) and Graphviz (the DOT exports). Debian and Ubuntu; safe to run again.
set -eu

missing=""
for tool in chromium chromedriver dot; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -z "$missing" ]; then
    echo "chromium, chromedriver and dot are installed"
    exit 0
fi
echo "missing:$missing"
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
$sudo apt-get update
$sudo apt-get install -y --no-install-recommends chromium chromium-driver graphviz fonts-dejavu-core
