#!/usr/bin/env bash
# Puts this checkout on the path of .venv and writes the command `pledger`.
# A build of the package would need build tools from an index; a path file and a few lines need nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
packages="$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
pwd >"$packages/policy_ledger.pth"
# The first two lines are shell and Python at once, because a `#!` line allows neither spaces nor long paths.
cat >.venv/bin/pledger <<EOF
#!/bin/sh
'''exec' "$(pwd)/.venv/bin/python" "\$0" "\$@"
' '''
import sys

from services.cli import main

# Worker processes import the file that their parent was started from.
if __name__ == "__main__":
    sys.exit(main())
EOF
chmod +x .venv/bin/pledger
