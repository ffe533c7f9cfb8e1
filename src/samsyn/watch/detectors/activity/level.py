"""The usual level of many counts, and when one of them has changed.

Each count is taken for negative binomial: Poisson with a rate that itself scatters, as convoys and
weather make it. Its mean is a level, times a factor of the hour of the day, times one of the day of
the week, all forgotten over weeks, so that seasons are followed. A change is looked for by two sums
of log-likelihood ratios (CUSUM, Page 1954): one for so many times as much, one for so many times
less.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from samsyn.base.clock import DAY_US, HOUR_US
from samsyn.tracks.arrays import Array, trues

MEMORY_H: Final = 8 * 7 * 24.0  # a season is about thirteen weeks
ALPHA_MIN: Final = 0.05  # no traffic is steadier than this
ALPHA_BEGIN: Final = 0.15  # until it is measured
HOUR_PRIOR: Final = 2.0  # hours like all others that an hour of the day begins with
ABOUT_MAX: Final = 16.0  # and hours as those about it are, at most
_ABOUT: Final = np.array([1.0, 2.0, 2.0, 2.0, 1.0]) / 2  # what each of those about it weighs
DAY_PRIOR: Final = 24.0
MEAN_MIN: Final = 0.02
CALM: Final = 2.5  # sums below it are chance
WAITING_H: Final = 72  # longer than that nothing waits to be learned
_KEPT: Final = float(np.exp(-1 / MEMORY_H))

# By Lorden's inequality such a sum passes h by chance at most once in e^h hours. Sums pass h by more
# than nothing, so in truth it is at least 3.5 times as long (simulated; a test holds it).
OVERSHOOT: Final = 3.5


def threshold(false_alarm_days: float) -> float:
    """The sum at which a change is told, for at most one false alarm in so many days, one way."""
    return float(np.log(false_alarm_days * 24 / OVERSHOOT))


def ratio(count: Array, mean: Array, alpha: Array, times: float) -> Array:
    """How much likelier a count is with `times` the mean than with the mean, as a logarithm.

    alpha: variance is mean + alpha mean^2.
    """
    size = 1 / alpha
    found: Array = (size + count) * np.log((size + mean) / (size + times * mean)) + count * np.log(times)
    return found


class Levels:
    """`count` series of hourly counts, side by side."""

    def __init__(self, count: int, times: float, limit: float) -> None:
        """times: the change that is looked for. limit: as `threshold` gives it."""
        self._times, self._limit = times, limit
        self._hour = np.zeros((count, 24))  # sums by hour of the day
        self._hours = np.zeros((count, 24))  # and how many
        self._day = np.zeros((count, 7))
        self._days = np.zeros((count, 7))
        self._spread = np.zeros((count, 2))  # of squares beyond Poisson, and of squared means
        self.learned_h = np.zeros(count)
        self.mean = np.zeros(count)
        self.alpha = np.full(count, ALPHA_BEGIN)
        self.sums = np.zeros((2, count))  # more, less
        self._waiting: list[list[tuple[int, float, float]]] = [[] for _ in range(count)]

    def expect(self, begin_us: int) -> None:
        """Sets `mean` and `alpha` for the hour that begins then."""
        hour, day = begin_us // HOUR_US % 24, begin_us // DAY_US % 7
        hours = np.maximum(self._hours.sum(axis=1), 1e-9)
        level = np.maximum(self._hour.sum(axis=1) / hours, MEAN_MIN)
        of_hour, like = self._of_hour(hour, level)
        of_day = (self._day[:, day] / level + DAY_PRIOR) / (self._days[:, day] + DAY_PRIOR)
        self.mean = np.maximum(level * of_hour * of_day, MEAN_MIN)
        measured = self._spread[:, 0] / np.maximum(self._spread[:, 1], 1e-9)
        known = np.minimum(self.learned_h / MEMORY_H * 4, 1.0)
        own = np.maximum(known * measured + (1 - known) * ALPHA_BEGIN, ALPHA_MIN)
        # the mean itself is known from few hours like this one
        self.alpha = own + (1 / self.mean + own) / (like + DAY_PRIOR / 7)

    def _of_hour(self, hour: int, level: Array) -> tuple[Array, Array]:
        """The factor of an hour of the day, and by how many hours it is known.

        An hour is first taken to be as those about it are, which a few days tell; its own counts
        outweigh them within weeks, so that a timetable is learned.
        """
        about = [(hour + k) % 24 for k in range(-len(_ABOUT) // 2 + 1, len(_ABOUT) // 2 + 1)]
        hours = self._hours[:, about] @ _ABOUT
        shape = (self._hour[:, about] @ _ABOUT / level + HOUR_PRIOR) / (hours + HOUR_PRIOR)
        weight = np.minimum(hours, ABOUT_MAX)
        own = self._hours[:, hour]
        found = (self._hour[:, hour] / level + weight * shape) / np.maximum(own + weight, 1e-9)
        return found, own + weight

    def weigh(self, count: Array, judged: Array) -> None:
        """Adds an hour's counts to the sums. One that has passed the limit is kept near it, so that
        it goes back when the counts do."""
        for k, times in enumerate((self._times, 1 / self._times)):
            more = self.sums[k] + ratio(count, self.mean, self.alpha, times)
            self.sums[k] = np.where(judged, np.clip(more, 0, self._limit + 1), self.sums[k])

    def learn(self, begin_us: int, count: Array, judged: Array) -> None:
        """Takes an hour's counts into the levels of those that are `judged`; of a series whose sums
        rise only when they have fallen again, so that a change is not learned while it is looked
        for."""
        calm = self.sums.max(axis=0) < CALM
        for k in trues(judged).tolist():
            waiting = self._waiting[k]
            waiting.append((begin_us, float(count[k]), float(self.mean[k])))
            if calm[k]:
                for hour in waiting:
                    self._take(k, *hour)
                waiting.clear()
            elif len(waiting) > WAITING_H:
                self._take(k, *waiting.pop(0))

    def _take(self, k: int, begin_us: int, count: float, mean: float) -> None:
        hour, day = begin_us // HOUR_US % 24, begin_us // DAY_US % 7
        for sums in (self._hour, self._hours, self._day, self._days, self._spread):
            sums[k] *= _KEPT
        self._hour[k, hour] += count
        self._hours[k, hour] += 1
        self._day[k, day] += count
        self._days[k, day] += 1
        if self.learned_h[k] >= 48:
            self._spread[k] += ((count - mean) ** 2 - mean, mean**2)
        self.learned_h[k] += 1

    def told(self, which: int) -> None:
        """A change was told: what led up to it is not learned."""
        self._waiting[which].clear()

    def forget(self, which: int) -> None:
        """Begins one anew: its level has changed for good."""
        for sums in (self._hour, self._hours, self._day, self._days, self._spread):
            sums[which] = 0
        self.learned_h[which] = 0
        self.sums[:, which] = 0
        self._waiting[which].clear()
