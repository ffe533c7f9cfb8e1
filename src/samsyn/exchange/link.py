"""The state of a link to one partner, as the picture shows it, with the words for people."""

from __future__ import annotations

from typing import Literal

import msgspec

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
    """What `reason` means, for a person: (English, Swedish)."""
    return _WORDS.get(
        reason,
        (
            f"What the partner sent was refused ({reason}). The last good state stands.",
            f"Det partnern sände godtogs inte ({reason}). Det senaste goda läget gäller.",
        ),
    )


_WORDS: dict[str, tuple[str, str]] = {
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
    "no-progress": (
        "The partner says that its channel has changed but gives nothing new. "
        "The last good state stands.",
        "Partnern säger att dess kanal har ändrats men ger inget nytt. Det senaste goda läget gäller.",
    ),
    "malformed-batch": (
        "A batch of the partner cannot be read. The last good state stands.",
        "En sändning från partnern kan inte läsas. Det senaste goda läget gäller.",
    ),
    "missing-entries": (
        "A batch of the partner leaves out entries that its channel has. The last good state stands.",
        "En sändning från partnern utelämnar poster som dess kanal har. Det senaste goda läget gäller.",
    ),
    "missing-view": (
        "The partner says that it released a statement but does not give it. "
        "The last good state stands.",
        "Partnern säger att den släppt en utsaga men lämnar den inte. Det senaste goda läget gäller.",
    ),
    "unknown-operation": (
        "The partner's channel says something that this version does not know. "
        "The last good state stands; a newer version may read it.",
        "Partnerns kanal säger något som den här versionen inte känner till. "
        "Det senaste goda läget gäller; en nyare version kan kanske läsa det.",
    ),
    "oversized-statement": (
        "A statement is larger than is agreed. The last good state stands.",
        "En utsaga är större än vad som är avtalat. Det senaste goda läget gäller.",
    ),
    "oversized-batch": (
        "A batch of the partner is larger than is agreed. The last good state stands.",
        "En sändning från partnern är större än vad som är avtalat. Det senaste goda läget gäller.",
    ),
    "forged-checkpoint": (
        "The partner's channel is not signed by its log key. The last good state stands.",
        "Partnerns kanal är inte signerad med dess loggnyckel. Det senaste goda läget gäller.",
    ),
    "shrunk-log": (
        "The partner's channel has become shorter: something was taken back without saying so. "
        "Both checkpoints are kept as evidence.",
        "Partnerns kanal har blivit kortare: något har tagits bort utan att det sagts. "
        "Båda kontrollpunkterna är sparade som bevis.",
    ),
    "forked-log": (
        "The partner's channel tells another history than before. "
        "Both checkpoints are kept as evidence.",
        "Partnerns kanal berättar en annan historia än förut. "
        "Båda kontrollpunkterna är sparade som bevis.",
    ),
    "replayed-entry": (
        "The partner's channel repeats an entry. The last good state stands.",
        "Partnerns kanal upprepar en post. Det senaste goda läget gäller.",
    ),
    "altered-entry": (
        "What the partner sent is not what its channel says. The last good state stands.",
        "Det partnern sände är inte vad dess kanal säger. Det senaste goda läget gäller.",
    ),
    "forged-signature": (
        "A statement's signature does not hold. The last good state stands.",
        "En utsagas signatur håller inte. Det senaste goda läget gäller.",
    ),
    "unknown-originator": (
        "A statement is signed by somebody whose card is not held here. The last good state stands.",
        "En utsaga är signerad av någon vars kort inte finns här. Det senaste goda läget gäller.",
    ),
    "altered-disclosure": (
        "A part of a statement is not what its originator signed. The last good state stands.",
        "En del av en utsaga är inte vad upphovet signerade. Det senaste goda läget gäller.",
    ),
    "finer-outside-coarser": (
        "A statement's exact place or time lies outside its coarse one. The last good state stands.",
        "En utsagas noggranna plats eller tid ligger utanför den grova. Det senaste goda läget gäller.",
    ),
    "exercise-marked-as-actual": (
        "A statement belongs to the other realm: exercise and actual do not mix. "
        "The last good state stands.",
        "En utsaga hör till det andra läget: övning och skarpt läge blandas inte. "
        "Det senaste goda läget gäller.",
    ),
    "version-by-another-originator": (
        "Somebody other than the originator changed a statement. The last good state stands.",
        "Någon annan än upphovet ändrade en utsaga. Det senaste goda läget gäller.",
    ),
    "equivocation": (
        "The originator signed two different statements as one and the same. Both are kept as evidence.",
        "Upphovet har signerat två olika utsagor som en och samma. Båda är sparade som bevis.",
    ),
}
