"""What a person should see to, and the node does not decide by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from samsyn.channels.refusals import Problem
from samsyn.channels.sources import Sources


def notices(sources: Sources, asides: Iterable[Problem]) -> list[dict[str, Any]]:
    """Own statements that stand and lost a source; then what was set aside of what partners passed on.

    Each with `kind`, `about` (a statement's id, or a partner's name), `en` and `sv`.
    """
    bereft = [
        {
            "kind": "source-withdrawn",
            "about": own,
            "source": source,
            "en": f"it was made of {source}, which was withdrawn: look at it again, then sign a new"
            " version or withdraw it",
            "sv": f"den bygger på {source}, som är återkallad: se över den, och signera en ny version"
            " eller återkalla den",
        }
        for own, source in sources.bereft()
    ]
    aside = [
        {
            "kind": "set-aside",
            "about": problem.partner,
            "reason": problem.reason,
            "what": problem.what,
            "count": problem.count,
            "en": problem.en,
            "sv": problem.sv,
        }
        for problem in asides
    ]
    return [*bereft, *aside]
