"""Standing orders: which findings the organisation signs as alerts without asking a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from samsyn.base.database import Database
from samsyn.base.errors import ConfigError
from samsyn.base.settings import StandingOrder
from samsyn.desk.drafts import alert_draft
from samsyn.desk.findings import FindingStore
from samsyn.desk.pen import Pen
from samsyn.watch.definition import Definition
from samsyn.watch.finding import Finding


class StandingOrders:
    """The orders in force, over the definitions that their alerts quote."""

    def __init__(
        self,
        db: Database,
        orders: Sequence[StandingOrder],
        definitions: Mapping[str, Definition],
        findings: FindingStore,
        pen: Pen,
    ) -> None:
        """Raises `ConfigError` where an order names a detector that there is not."""
        for order in orders:
            for unknown in sorted(set(order.detectors) - set(definitions)):
                raise ConfigError(
                    f"there is no detector {unknown!r}",
                    where=f"config.toml: standing_order {order.id}",
                    do=f"use {', '.join(sorted(definitions))}",
                )
        self._db = db
        self._order = {d: order for order in reversed(orders) for d in order.detectors}
        self._definitions = definitions
        self._findings = findings
        self._pen = pen

    def take(self, findings: Iterable[Finding]) -> int:
        """Keep what the watch found; sign what an order covers. Returns how many were signed.

        A finding is signed when it is first seen and again, as the next version, when its state
        changes: what is between is told by the evidence of the last. Finding and alert become
        durable together, so a crash neither loses nor doubles an alert.
        """
        signed = 0
        for finding in findings:
            with self._db.write():
                self._findings.put(finding)
                order = self._order.get(finding.detector)
                before = self._findings.signed(finding.key)
                if order is None or (before and before.state in (finding.state, "closed")):
                    continue
                draft = alert_draft(finding, order, self._definitions[finding.detector])
                jti, ver = (before.jti, before.ver + 1) if before else (None, 1)
                made = self._pen.sign(draft, by=f"standing order {order.id}", jti=jti, ver=ver)
                self._findings.set_signed(finding.key, made.jti, made.ver, finding.state)
                signed += 1
        return signed
