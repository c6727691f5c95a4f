"""`python -m services.cli` is `pledger`."""

from services.cli import main

main()
