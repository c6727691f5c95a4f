#!/usr/bin/env bash
# Creates .venv, or says in one sentence which package is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="${1:-python3}"

fail() {
    echo "make setup: $*" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "$python was not found; install Python 3.11 or later (Debian: python3 python3-venv)."
found="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is Python $found, and 3.11 or later is needed; name another one with: make setup PYTHON=python3.11"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "$python cannot create environments; install the package python3-venv (Debian, Ubuntu: apt install python$found-venv)."

# Made under another name first: an interrupted run must not leave half an environment that looks finished.
rm -rf .venv
"$python" -m venv .venv || { rm -rf .venv; fail "the environment could not be created, see above."; }
