"""Whole networks of nodes from one seed, to find what no hand-made test thinks of.

    python -m samsyn.sim --seed 7 --steps 200 -v

replays one run and says what happens in it; `--seeds 1000` runs many. After a history of statements,
withdrawals, lost power, full disks, cut networks, wrong clocks and a node in other hands, everything
is mended, and then must hold: each node has exactly what the policies give it, every withdrawal is
applied and cosigned, nothing acknowledged is lost or doubled, no byte of what was purged is left,
and all logs verify.
"""

from samsyn.sim.run import Result, run

__all__ = ["Result", "run"]
