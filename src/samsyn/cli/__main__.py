"""`python -m samsyn.cli`: the same as the command `samsyn`."""

from samsyn.cli import main

if __name__ == "__main__":  # a second process (statements.second) imports this file too
    main()
