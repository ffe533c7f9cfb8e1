"""Run beside the tests, for GDAL keeps Python's lock while it waits for a server in the same process.

    python by_gdal.py copy SOURCE LAYER OUT       a layer into a GeoPackage
    python by_gdal.py count SOURCE LAYER X Y      the layers, and how many areas there are at a point

Settings are GDAL's own, by the environment.
"""

import sys

import pyogrio


def main(does: str, source: str, layer: str, *given: str) -> None:
    if does == "copy":
        meta, _, outlines, columns = pyogrio.raw.read(source, layer=layer, PAGE_SIZE="2")
        meta["geometry_type"] = "Unknown"  # a point, or the outline of cells
        pyogrio.raw.write(given[0], outlines, columns, driver="GPKG", layer=layer, **meta)
    else:
        x, y = map(float, given)
        found = pyogrio.raw.read(source, layer=layer, bbox=(x, y, x + 1, y + 1))[2]
        print(*sorted(name for name, _ in pyogrio.list_layers(source)), len(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
