"""`python -m samsyn.cli`: the same as the command `samsyn`."""

from samsyn.cli import main

main()
