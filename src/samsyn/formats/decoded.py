"""What a decoder gives back: columns, counts, and every refusal with its reason and place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from samsyn.base import limits

# Every reason for which input is refused, as a person reads it. Counts go by the short word.
REASONS: Final[dict[str, dict[str, str]]] = {
    "checksum": {"en": "the checksum does not fit", "sv": "kontrollsumman stämmer inte"},
    "tag-block": {
        "en": "a damaged tag block: its time is not used, the sentence behind it is",
        "sv": "ett skadat taggblock: dess tid används inte, men meningen efter det",
    },
    "malformed": {"en": "not written as the format says", "sv": "inte skrivet som formatet säger"},
    "not-nmea": {"en": "not a line of NMEA 0183", "sv": "inte en rad NMEA 0183"},
    "line-too-long": {"en": "a line longer than any may be", "sv": "en rad längre än någon får vara"},
    "line-cut": {"en": "the input ends in the middle of a line", "sv": "indata slutar mitt i en rad"},
    "fragment-missing": {
        "en": "part of a message in several sentences never came",
        "sv": "en del av ett meddelande i flera meningar kom aldrig",
    },
    "fragment-orphan": {
        "en": "a later part of a message whose beginning was not heard",
        "sv": "en senare del av ett meddelande vars början inte hördes",
    },
    "payload": {"en": "a payload with impossible characters", "sv": "en last med omöjliga tecken"},
    "too-short": {"en": "a message that ends too early", "sv": "ett meddelande som slutar för tidigt"},
    "unknown-type": {
        "en": "a message type that does not exist",
        "sv": "en meddelandetyp som inte finns",
    },
    "clock-jump": {
        "en": "the receiver's counter jumped: rows go on from the time before it",
        "sv": "mottagarens räknare hoppade: raderna fortsätter från tiden före hoppet",
    },
    "no-time": {"en": "a row without a usable time", "sv": "en rad utan användbar tid"},
    "no-craft": {"en": "a row that does not say who", "sv": "en rad som inte säger vem"},
    "not-real": {
        "en": "a simulated, test or field monitor target",
        "sv": "ett simulerat mål, testmål eller fältmonitor",
    },
    "extrapolated": {
        "en": "a track carried on without anybody having seen the craft lately",
        "sv": "ett spår som förts vidare utan att någon sett farkosten nyligen",
    },
    "no-site": {
        "en": "a radar whose place is not known: its rows have no position; name it in `sites`",
        "sv": "en radar vars plats inte är känd: dess rader saknar position; ange den i `sites`",
    },
    "fragment-ip": {
        "en": "part of a datagram that was sent in several packets",
        "sv": "en del av ett datagram som sändes i flera paket",
    },
    "not-udp": {"en": "a packet that holds no UDP", "sv": "ett paket som inte innehåller UDP"},
    "address-not-icao": {
        "en": "the address is not an aircraft's own ICAO address",
        "sv": "adressen är inte flygplanets egen ICAO-adress",
    },
    "address-unconfirmed": {
        "en": "an address worked out from the parity of a frame and heard in no other way",
        "sv": "en adress som räknats fram ur paritet och inte hörts på annat sätt",
    },
    "not-json": {"en": "not JSON", "sv": "inte JSON"},
    "shape": {"en": "JSON of another shape than expected", "sv": "JSON med annan form än väntat"},
    "wrong-value": {
        "en": "a field holds what it cannot hold",
        "sv": "ett fält innehåller något omöjligt",
    },
    "document-too-large": {
        "en": "a document larger than may be",
        "sv": "ett dokument större än tillåtet",
    },
    "header": {"en": "the header line is missing or unknown", "sv": "rubrikraden saknas eller är okänd"},
    "gzip-cut": {"en": "the compressed file is cut off", "sv": "den komprimerade filen är avhuggen"},
    "gzip-damaged": {"en": "the compressed file is damaged", "sv": "den komprimerade filen är skadad"},
    "closed": {"en": "the other end closed the connection", "sv": "motparten stängde förbindelsen"},
    "crowded": {
        "en": "more callers than may be: one was turned away, or the longest silent one",
        "sv": "fler uppringare än tillåtet: en avvisades, eller den som varit tyst längst",
    },
    "dropped": {
        "en": "datagrams that came faster than they could be read",
        "sv": "datagram som kom fortare än de kunde läsas",
    },
    "unreachable": {"en": "no connection", "sv": "ingen förbindelse"},
    "http-status": {"en": "the server answered with an error", "sv": "servern svarade med ett fel"},
    "time-unknown": {
        "en": "the lines carry no time: rows take the time of reading, or the date in the settings",
        "sv": "raderna saknar tid: de får läsningens tid, eller datumet i inställningarna",
    },
}


class Problem(NamedTuple):
    """One thing that was wrong: why, where, and the words that show it."""

    reason: str
    line: int | None = None  # from 1
    offset: int | None = None  # byte from 0
    row: int | None = None  # of a JSON list, from 1
    detail: str = ""

    def where(self) -> str:
        if self.line is not None:
            return f"line {self.line}"
        if self.row is not None:
            return f"row {self.row}"
        return f"byte {self.offset}" if self.offset is not None else ""


@dataclass
class Decoded:
    """The outcome of one piece of input.

    columns:   as `observations.schema` names them, all of length `rows`.
    messages:  whole messages understood, also those of types that make no row.
    types:     messages by type.
    refused:   what was not understood, by reason (`REASONS`).
    unhandled: fields that no decoder handles and none ignores by name.
    problems:  the first of what was refused, word for word; the counts are complete.
    """

    columns: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    lines: int = 0
    messages: int = 0
    types: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    unhandled: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def refuse(
        self,
        reason: str,
        *,
        line: int | None = None,
        offset: int | None = None,
        row: int | None = None,
        detail: str = "",
        count: int = 1,
    ) -> None:
        """Count a refusal; keep its place while there is room. Raises `KeyError` for no such reason."""
        REASONS[reason]
        if count:  # 0: nothing was lost, but a person should know
            self.refused[reason] += count
        if len(self.problems) < limits.FEED_PROBLEMS_KEPT:
            self.problems.append(Problem(reason, line, offset, row, detail))


def shown(raw: bytes, most: int = 80) -> str:
    """The beginning of some bytes as text that is safe to show."""
    text = raw[:most].decode("ascii", "backslashreplace")
    safe = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return safe + ("..." if len(raw) > most else "")
