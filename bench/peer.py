"""The tools of others at work, each on a file that `peers.py` wrote: run by the Python of .venv-peers.

    python bench/peer.py pyais IN.npz        prints what it found and the CPU seconds it took, as JSON

Making the data ready in the form that a tool wants is not counted.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
import warnings

import numpy as np


def pyais(given):
    """Every message decoded: latitude, longitude and speed of the positions."""
    from pyais.exceptions import AISBaseException
    from pyais.stream import IterMessages

    lines = [line[line.index(b"!") :] for line in given["data"].tobytes().splitlines() if b"!" in line]
    begin, found, done = time.process_time(), [], 0
    for message in IterMessages(lines):
        try:
            said = message.decode()
            done += 1
        except AISBaseException:
            continue
        if said.msg_type in (1, 2, 3, 18, 19):
            found.append((said.mmsi, said.lat, said.lon))
    return begin, {
        "done": done,
        "places": len(found),
        "sum": float(np.sum([a[1] + a[2] for a in found])),
    }


def rs1090(given):
    """Every frame decoded, with positions."""
    import rs1090 as tool

    lines = [line.split(b",") for line in given["data"].tobytes().split()]
    frames = [frame[18:].decode() for _, frame in lines]
    times = [float(at) for at, _ in lines]
    begin = time.process_time()
    said = tool.decode(frames, times)
    placed = [(m["latitude"], m["longitude"]) for m in said if m.get("latitude") is not None]
    return begin, {"done": len(frames), "places": len(placed)}


def stops(given):
    """Where each craft stayed within so many metres for so many minutes."""
    import movingpandas as mpd
    import pandas as pd

    table = pd.DataFrame({name: given[name] for name in ("craft", "lat", "lon")})
    table["t"] = pd.to_datetime(given["time_us"], unit="us")
    tracks = mpd.TrajectoryCollection(table, "craft", t="t", x="lon", y="lat", crs=4326)
    begin = time.process_time()
    detector = mpd.TrajectoryStopDetector(tracks)
    found = detector.get_stop_points(
        min_duration=dt.timedelta(seconds=float(given["seconds"])), max_diameter=float(given["metres"])
    )
    craft = sorted({int(c) for c in found["traj_id"]}) if len(found) else []
    return begin, {"done": len(table), "craft": craft, "stops": len(found)}


def encounters(given):
    """Pairs within 5 NM and 1,000 ft."""
    import pandas as pd
    from pyproj import Proj
    from traffic.core import Traffic

    table = pd.DataFrame({
        "timestamp": pd.to_datetime(given["time_us"], unit="us", utc=True),
        "icao24": [f"{c:06x}" for c in given["craft"]],
        "latitude": given["lat"], "longitude": given["lon"], "altitude": given["altitude_ft"],
    }).drop_duplicates(["icao24", "timestamp"])  # fmt: skip
    table["callsign"] = table["flight_id"] = table["icao24"]
    some = Traffic(table)
    plane = Proj(proj="lcc", lat_1=45, lat_2=48, lat_0=46.8, lon_0=8.2)
    begin = time.process_time()
    found = some.closest_point_of_approach(
        lateral_separation=5 * 1852, vertical_separation=1000, projection=plane
    )
    rows = found.data if found is not None else pd.DataFrame()
    pairs = set()
    if len(rows):
        near = rows[(rows["lateral"] <= 5) & (rows["vertical"] <= 1000)]
        pairs = {tuple(sorted(pair)) for pair in near[["icao24_x", "icao24_y"]].to_numpy().tolist()}
    return begin, {"done": len(table), "pairs": sorted(pairs)}


def filtered(given):
    """A Kalman filter of nearly constant velocity over each craft's reports; where each ends."""
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import (
        CombinedLinearGaussianTransitionModel,
        ConstantVelocity,
    )
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.types.detection import Detection
    from stonesoup.types.hypothesis import SingleHypothesis
    from stonesoup.types.state import GaussianState
    from stonesoup.updater.kalman import KalmanUpdater

    motion = CombinedLinearGaussianTransitionModel([ConstantVelocity(float(given["q"]))] * 2)
    variance, speed = float(given["variance"]), float(given["speed"])
    seen = LinearGaussian(4, (0, 2), np.diag([variance, variance]))
    predictor, updater, states = KalmanPredictor(motion), KalmanUpdater(seen), {}
    first = np.diag([variance, speed**2, variance, speed**2])
    times = [dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=int(t)) for t in given["time_us"]]
    rows = list(
        zip(given["craft"].tolist(), times, given["x"].tolist(), given["y"].tolist(), strict=True)
    )
    begin = time.process_time()
    for craft, at, x, y in rows:
        if craft not in states:
            states[craft] = GaussianState(np.array([[x], [0], [y], [0]]), first, timestamp=at)
            continue
        heard = Detection(np.array([[x], [y]]), timestamp=at, measurement_model=seen)
        predicted = predictor.predict(states[craft], timestamp=at)
        states[craft] = updater.update(SingleHypothesis(predicted, heard))
    ends = {
        str(craft): [*map(float, s.state_vector.ravel()), float(s.covar[0, 0])]
        for craft, s in states.items()
    }
    return begin, {"done": len(rows), "ends": ends}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    given = np.load(sys.argv[2])
    begin, said = globals()[sys.argv[1]](given)
    said["seconds"] = time.process_time() - begin
    print(json.dumps(said))
