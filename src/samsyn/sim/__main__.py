"""`python -m samsyn.sim`: replay one seed and read what happens in it, or run many."""

from __future__ import annotations

import click

from samsyn.sim.run import STEPS, run


@click.command()
@click.option("--seed", default=1, show_default=True, help="The run, or the first of several.")
@click.option("--seeds", default=1, show_default=True, help="How many runs, one seed after the other.")
@click.option("--steps", default=STEPS, show_default=True, help="How much happens before all is mended.")
@click.option("-v", "--verbose", is_flag=True, help="Say each thing that happens.")
def main(seed: int, seeds: int, steps: int, verbose: bool) -> None:
    """Run simulated networks of whole nodes. Exit 1 if in any of them something does not hold."""
    broken = 0
    for number in range(seed, seed + seeds):
        result = run(number, steps, click.echo if verbose else lambda line: None)
        if result.broken:
            broken += 1
            click.echo(f"seed {number}: BROKEN: {result.broken}")
        elif seeds == 1:
            counts = ", ".join(f"{what} {count}" for what, count in result.counts.items())
            click.echo(f"seed {number}: all holds ({counts})")
    if seeds > 1:
        click.echo(f"{seeds - broken} of {seeds} seeds held")
    if broken:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
