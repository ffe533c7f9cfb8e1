"""The organisation's zones as administrators edit them: held against the rules, written, in force."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from samsyn.base.encoding import from_json, sha256
from samsyn.base.errors import InputError, LimitError
from samsyn.base.limits import ZONES, ZONES_FILE_BYTES
from samsyn.desk.diary import Diary
from samsyn.watch.zones import USED_BY, Zone, fault_of, load_zones, written, zones_of

Features = list[dict[str, Any]]


class ZonesForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change. seen: the hash of the file that it was made from. put: GeoJSON features, each in place
    of the zone of its name, or new. remove: names. dry: only say what is wrong with it."""

    seen: str = ""
    put: list[dict[str, Any]] = []
    remove: list[str] = []
    dry: bool = False

    @classmethod
    def read(cls, body: Any) -> ZonesForm:
        """Raises `InputError`."""
        try:
            return msgspec.convert(body, cls)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="zones") from e


class ZoneBook:
    """The file of zones. save: writes it whole or not at all. taken: hears of zones that are in force
    from now on."""

    def __init__(
        self,
        path: Path,
        diary: Diary,
        save: Callable[[Path, bytes], None],
        taken: Callable[[list[Zone], dict[str, Any]], None],
    ) -> None:
        self._path = path
        self._diary = diary
        self._save = save
        self._taken = taken
        self._lock = threading.Lock()

    def told(self) -> dict[str, Any]:
        """sha256: of the file as it is; features; used_by: detectors that look at zones of a sort."""
        data = self._data()
        return {"sha256": sha256(data).hex(), "features": _features(data), "used_by": USED_BY}

    def change(self, form: ZonesForm, by: str) -> dict[str, Any]:
        """Put and remove zones; in force at once, and in the diary.

        faults: what is wrong, by the number of the feature in `put` and its field; then nothing is
        written. Raises `InputError` where somebody else has changed the file, `LimitError`.
        """
        faults = [
            {"feature": k, "field": wrong.field, "text": str(wrong)}
            for k, feature in enumerate(form.put)
            if (wrong := fault_of(feature))
        ]
        names = [str(_name(feature)) for feature in form.put]
        faults += [
            {"feature": k, "field": "name", "text": f"a second zone {name!r}"}
            for k, name in enumerate(names)
            if name in names[:k]
        ]
        if faults or form.dry:
            return {"written": False, "faults": faults}
        with self._lock:
            return self._change(form, names, by)

    def _change(self, form: ZonesForm, names: list[str], by: str) -> dict[str, Any]:
        before = self._data()
        if sha256(before).hex() != form.seen:
            raise InputError(
                "the zones have been changed meanwhile", do="look at them again, then repeat"
            )
        old = _features(before)
        there = [str(_name(feature)) for feature in old]
        unknown = sorted(set(form.remove) - set(there))
        if unknown:
            raise InputError(f"there is no zone {unknown[0]!r}", do="see: samsyn zones list")
        put = dict(zip(names, form.put, strict=True))
        kept = [put.pop(n, f) for n, f in zip(there, old, strict=True) if n not in form.remove]
        features = [*kept, *put.values()]
        if len(features) > ZONES:
            raise LimitError(f"more than {ZONES} zones")
        collection = {"type": "FeatureCollection", "features": features}
        data = written(collection)
        if len(data) > ZONES_FILE_BYTES:
            raise LimitError(f"more than {ZONES_FILE_BYTES} bytes of zones")
        zones = zones_of(collection, str(self._path))
        # first what is to be done: a change that nobody can account for must not be
        self._diary.write(
            by,
            "zones-changed",
            added=sorted(put),
            changed=sorted(set(names) & set(there)),
            removed=sorted(form.remove),
            before=sha256(before).hex(),
            after=sha256(data).hex(),
        )
        self._save(self._path, data)
        self._taken(zones, collection)
        return {"written": True, "faults": [], **self.told()}

    def _data(self) -> bytes:
        load_zones(self._path)  # raises where somebody has written something else than zones into it
        return self._path.read_bytes() if self._path.is_file() else written({"features": []})


def _features(data: bytes) -> Features:
    found: Features = from_json(data)["features"]
    return found


def _name(feature: dict[str, Any]) -> Any:
    properties = feature.get("properties")
    return properties.get("name") if isinstance(properties, dict) else None
