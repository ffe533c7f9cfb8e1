"""Traffic with known truth: what receivers hear of invented craft, and what of it a watch should find.

    samsyn exercise traffic exercises/truth/sea.toml --seed 1 --out build/sea
    samsyn exercise truth exercises/truth/sea.toml --seed 1 --detector drift

The first writes what each receiver heard, as bytes of the radio (AIS sentences, Mode S frames), with the
zones and `truth.json`. The second puts the same bytes through the ordinary decoders and one detector,
and says what it found, what it missed and what it took for something else. Everything is an exercise.
"""

from samsyn.sim.traffic.make import Made, make, write

__all__ = ["Made", "make", "write"]
