"""Pairs of craft that are close to each other: exact, anywhere on Earth, in bounded work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from samsyn.base.geo import EARTH_RADIUS_M, distance_m
from samsyn.base.limits import CLOSE_PAIRS
from samsyn.tracks.arrays import Array, trues

RADIUS_M_MAX: Final = 1_000_000.0
_CELL_M_MIN: Final = 16.0  # so that the numbers along three axes fit into one of 63 bits
_FEW: Final = 64
_PIECE: Final = 1 << 17  # pairs looked at in one go: their places fit into a processor's cache


class Pairs(NamedTuple):
    """first < second: places in the arrays that were given, ordered by both. left_out: how many
    pairs of neighbours were not looked at, because there were more than `limits.CLOSE_PAIRS`."""

    first: Array
    second: Array
    distance_m: Array
    left_out: int


def close_pairs(lat: Array, lon: Array, radius_m: float) -> Pairs:
    """All pairs of n places (float arrays of degrees; NaN is nowhere) that are at most `radius_m`
    apart by `geo.distance_m`.

    Places are put into cubes in space as wide as the radius, so there is no pole and no seam at 180
    degrees: the partners of a place are in its own cube and the 26 around it. Where a crowd makes
    too many pairs, every place looks at as many of its neighbours as all may, so that a crowd at one
    place hides no pair elsewhere.

    Raises `ValueError` for a radius that is not above 0 and at most `RADIUS_M_MAX`.
    """
    if not 0 < radius_m <= RADIUS_M_MAX:
        raise ValueError(f"radius_m {radius_m}")
    number = trues(np.isfinite(lat) & np.isfinite(lon))
    # a little more than the chord, for what rounding takes from either side
    chord_m = 2 * EARTH_RADIUS_M * np.sin(radius_m / (2 * EARTH_RADIUS_M)) * (1 + 1e-9) + 1e-6
    xyz = _in_space(lat[number], lon[number])
    if len(number) <= _FEW:
        return _among_few(lat, lon, number, xyz, radius_m, chord_m)
    key, wide = _cubes(xyz, max(chord_m, _CELL_M_MIN))
    order = np.argsort(key, kind="stable")
    key, xyz, number = key[order], xyz[order], number[order]
    begin, length = _neighbours(key, wide)
    looked_at = _shared_out(length)
    close: list[tuple[Array, Array]] = [(number[:0], number[:0])]
    for at, other in _pieces(begin, looked_at, len(key)):
        apart = xyz[at] - xyz[other]
        within = np.einsum("ij,ij->i", apart, apart) <= chord_m**2
        close.append((number[at[within]], number[other[within]]))
    one, two = (np.concatenate(ends) for ends in zip(*close, strict=True))
    first, second = np.minimum(one, two), np.maximum(one, two)
    apart_m = distance_m(lat[first], lon[first], lat[second], lon[second])
    by = np.lexsort((second, first))
    by = by[apart_m[by] <= radius_m]
    return Pairs(first[by], second[by], apart_m[by], int((length - looked_at).sum()))


def _among_few(
    lat: Array, lon: Array, number: Array, xyz: Array, radius_m: float, chord_m: float
) -> Pairs:
    """Each against each: below some dozens that is quicker than putting them into cubes."""
    # the square of a chord is 2 R^2 - 2 x.y; a metre more than rounding takes from numbers that large
    near = xyz @ xyz.T >= EARTH_RADIUS_M**2 - ((chord_m + 1) ** 2) / 2
    one, two = np.nonzero(np.triu(near, 1))
    first, second = number[one], number[two]
    apart_m = distance_m(lat[first], lon[first], lat[second], lon[second])
    close = apart_m <= radius_m
    return Pairs(first[close], second[close], apart_m[close], 0)


def _in_space(lat: Array, lon: Array) -> Array:
    """Metres from the middle of a round Earth, one row a place."""
    a, o = np.radians(lat.astype(np.float64)), np.radians(lon.astype(np.float64))
    flat = np.cos(a)
    return EARTH_RADIUS_M * np.column_stack([flat * np.cos(o), flat * np.sin(o), np.sin(a)])


def _cubes(xyz: Array, size_m: float) -> tuple[Array, int]:
    """The number of each place's cube, and how many cubes there are along an axis. Cubes that follow
    each other along the last axis have numbers that do; none is at an edge."""
    wide = int(2 * EARTH_RADIUS_M / size_m) + 4
    x, y, z = (np.floor((xyz + EARTH_RADIUS_M) / size_m).astype(np.int64) + 1).T
    return (x * wide + y) * wide + z, wide


def _neighbours(key: Array, wide: int) -> tuple[Array, Array]:
    """Where in the sorted `key` the partners of each place begin, and how many they are: of those
    after it in its own cube and the next, then of four rows of three cubes. Each pair comes once."""
    begin, end = [np.arange(1, len(key) + 1)], [np.searchsorted(key, key + 1, "right")]
    for row in (wide, wide * (wide - 1), wide * wide, wide * (wide + 1)):
        begin.append(np.searchsorted(key, key + row - 1, "left"))
        end.append(np.searchsorted(key, key + row + 1, "right"))
    start = np.concatenate(begin)
    return start, np.concatenate(end) - start


def _shared_out(length: Array) -> Array:
    """As many of the `length` partners as fit into the limit, cut where they are most."""
    if int(length.sum()) <= CLOSE_PAIRS:
        return length
    low, high = 0, int(length.max())
    while high - low > 1:
        middle = (low + high) // 2
        if int(np.minimum(length, middle).sum()) <= CLOSE_PAIRS:
            low = middle
        else:
            high = middle
    return np.minimum(length, low)


def _pieces(begin: Array, length: Array, places: int) -> Iterator[tuple[Array, Array]]:
    """Places in the sorted arrays of both ends of every pair, some at a time."""
    some = trues(length)
    begin, length, at = begin[some], length[some], some % max(places, 1)
    total = np.cumsum(length)
    cuts = np.searchsorted(
        total, np.arange(_PIECE, (int(total[-1]) if len(total) else 0) + _PIECE, _PIECE)
    )
    low = 0
    for cut in cuts.tolist():
        high = min(cut + 1, len(some))
        if high > low:
            n = length[low:high]
            first = np.cumsum(n) - n
            yield (
                np.repeat(at[low:high], n),
                np.repeat(begin[low:high] - first, n) + np.arange(int(n.sum())),
            )
        low = max(high, low)
