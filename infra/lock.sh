#!/usr/bin/env bash
# Writes requirements.lock, requirements-dev.lock and requirements-bench.lock: every version with its hashes, no address of any index.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Local folders and mirrors of one machine must not decide what is locked for all.
unset PIP_FIND_LINKS UV_FIND_LINKS
uv="${UV:-uv}"
command -v "$uv" >/dev/null || { echo "make lock: uv was not found; install it, or name it with UV=<path>." >&2; exit 1; }

compile() {
    "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
        --no-header --python-version 3.11 "$@"
}
compile pyproject.toml --output-file requirements.lock
compile pyproject.toml --extra dev --constraint requirements.lock --no-annotate --output-file requirements-dev.lock
compile --group bench --no-annotate --output-file requirements-bench.lock
