"""The state of a link to one partner, as the picture shows it, with the words for people."""

from __future__ import annotations

from typing import Literal

import msgspec

from samsyn.channels import reason_texts

State = Literal["waiting", "up", "refused", "down"]


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """waiting: not yet reached. up: the last round went well. refused: one side does not accept what
    the other sent; a person must look. down: the partner cannot be reached; tried again by itself.
    """

    partner: str
    state: State = "waiting"
    last_heard_us: int | None = None  # wall time of the partner's last proper reply
    their_size: int = 0  # entries in the partner's channel for us, as it says
    applied_size: int = 0  # of these, held durably here
    refused_reason: str | None = None  # a fixed word, for "refused" and "down"
    en: str = ""
    sv: str = ""

    @property
    def refused(self) -> dict[str, str] | None:
        """Why a person must look, for the picture; None unless the state is "refused"."""
        if self.state != "refused":
            return None
        return {"reason": self.refused_reason or "", "en": self.en, "sv": self.sv}


def explain(reason: str) -> tuple[str, str]:
    """What `reason` means, for a person: (English, Swedish). Of a refused batch, `channels` knows."""
    if reason in _WORDS:
        return _WORDS[reason]
    en, sv = reason_texts(reason)
    return (
        f"{en[:1].upper()}{en[1:]}. The last good state stands.",
        f"{sv[:1].upper()}{sv[1:]}. Det senaste goda läget gäller.",
    )


_WORDS: dict[str, tuple[str, str]] = {
    "oversized-frame": (
        "The partner's live tracks are more than is agreed. They are not shown.",
        "Partnerns levande spår är fler än vad som är avtalat. De visas inte.",
    ),
    "malformed-frame": (
        "The partner's live tracks cannot be read, or say what cannot be. They are not shown.",
        "Partnerns levande spår går inte att läsa, eller säger något som inte kan vara. De visas inte.",
    ),
    "forged-frame": (
        "The partner's live tracks are not signed by its key. They are not shown.",
        "Partnerns levande spår är inte signerade med dess nyckel. De visas inte.",
    ),
    "another-readers-frame": (
        "The partner sent live tracks that are of or for somebody else. They are not shown.",
        "Partnern sände levande spår som är någon annans eller till någon annan. De visas inte.",
    ),
    "replayed-frame": (
        "The partner sent live tracks that are older than those it sent before. They are not shown.",
        "Partnern sände levande spår som är äldre än de den sände förut. De visas inte.",
    ),
    "unreachable": (
        "The partner's node cannot be reached. It is tried again by itself.",
        "Partnerns nod kan inte nås. Nya försök görs av sig själva.",
    ),
    "slow-reply": (
        "The partner's node did not answer in time. It is tried again by itself.",
        "Partnerns nod svarade inte i tid. Nya försök görs av sig själva.",
    ),
    "busy": (
        "The partner's node asks us to wait. It is tried again by itself.",
        "Partnerns nod ber oss vänta. Nya försök görs av sig själva.",
    ),
    "own-fault": (
        "This node could not store what the partner sent. See this node's own log.",
        "Den egna noden kunde inte spara det partnern sände. Se nodens egen logg.",
    ),
    "wrong-certificate": (
        "Whoever answers at the partner's address does not hold the certificate of its card: somebody "
        "may stand between, or the partner has a new card. Compare the words again.",
        "Den som svarar på partnerns adress har inte kortets certifikat: någon kan stå emellan, eller "
        "så har partnern ett nytt kort. Jämför orden igen.",
    ),
    "not-accepted": (
        "The partner does not accept our requests: it may not hold our card, hold an older one, or be "
        "in the other realm (exercise or actual), or one of the clocks is wrong by minutes.",
        "Partnern godtar inte våra frågor: den kan sakna vårt kort, ha ett äldre eller köra det andra "
        "läget (övning eller skarpt), eller så går en av klockorna minuter fel.",
    ),
    "not-taken": (
        "The partner cannot follow what this node holds of its channel: one of the two has lost part of "
        "the history. The last good state stands.",
        "Partnern kan inte följa det den här noden har av dess kanal: en av de två har förlorat en del "
        "av historiken. Det senaste goda läget gäller.",
    ),
    "odd-reply": (
        "The partner's node answered with something that is no answer. The last good state stands.",
        "Partnerns nod svarade med något som inte är ett svar. Det senaste goda läget gäller.",
    ),
    "oversized-reply": (
        "The partner's node answered with more than is agreed. The last good state stands.",
        "Partnerns nod svarade med mer än vad som är avtalat. Det senaste goda läget gäller.",
    ),
    "suspended": (
        "We have suspended this partner: it is answered as a stranger and not asked for anything.",
        "Vi har stängt av denna partner: den besvaras som en främling och tillfrågas inte om något.",
    ),
    "leaving": (
        "This partner is leaving: it may fetch what was withdrawn from it, and nothing else.",
        "Denna partner är på väg ut: den får hämta det som återkallats från den, och inget annat.",
    ),
    "no-progress": (
        "The partner says that its channel has changed but gives nothing new. "
        "The last good state stands.",
        "Partnern säger att dess kanal har ändrats men ger inget nytt. Det senaste goda läget gäller.",
    ),
}
