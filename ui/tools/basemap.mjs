// Writes the page's own basemap, `.generated/basemap.json`, from Natural Earth (public domain) as
// packed by world-atlas: fine (1:10m) in and around the Baltic, coarse (1:110m, 1:50m) elsewhere.
//
// Format: { unit, land: [{ box, polygons }], borders }. A line is [x, y, dx, dy, ...] in whole units
// of 1/unit degree, first absolute, then steps; a polygon is a list of such rings, not closed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Clipper64, ClipType, FillRule, PolyTree64 } from 'clipper2-ts';
import { feature, mesh } from 'topojson-client';

const HERE = dirname(fileURLToPath(import.meta.url));
const UNIT = 2500; // per degree: 45 m of latitude, what the 1:10m source itself resolves
const NEAR = [-12, 48, 45, 75]; // west, south, east, north
const WIDE = [-30, 25, 75, 84];
const WORLD = [-180, -90, 180, 90];

const atlas = (scale) =>
  JSON.parse(readFileSync(join(HERE, `../node_modules/world-atlas/countries-${scale}.json`), 'utf8'));

/** The frame between two boxes, as four boxes that do not overlap. */
function around([w, s, e, n], [ow, os, oe, on]) {
  return [[ow, os, w, on], [e, os, oe, on], [w, os, e, s], [w, n, e, on]];
}

const SIDES = ([w, s, e, n]) => [
  [(p) => p[0] >= w, 0, w],
  [(p) => p[1] >= s, 1, s],
  [(p) => p[0] <= e, 0, e],
  [(p) => p[1] <= n, 1, n],
];

/** The point where the segment a-b meets the line axis = at. */
function crossing(a, b, axis, at) {
  const share = (at - a[axis]) / (b[axis] - a[axis]);
  const point = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
  point[axis] = at;
  return point;
}

const whole = ([x, y]) => ({ x: Math.round(x * UNIT), y: Math.round(y * UNIT) });

/**
 * Rings cut to a box, as polygons: rings again, the outer one first. The source has rings that cross
 * themselves, and a map drops a polygon that does: whatever is cut is made sound as well.
 */
function clipRings(rings, [w, s, e, n]) {
  const clipper = new Clipper64();
  clipper.addSubject(rings.filter((ring) => touches(ring, [w, s, e, n])));
  clipper.addClip([[[w, s], [e, s], [e, n], [w, n]].map(whole)]);
  const tree = new PolyTree64();
  clipper.execute(ClipType.Intersection, FillRule.NonZero, tree);
  const found = [];
  const take = (outer) => {
    const holes = children(outer);
    found.push([outer.poly, ...holes.map((hole) => hole.poly)]);
    for (const hole of holes) children(hole).forEach(take); // islands in lakes
  };
  children(tree).forEach(take);
  return found;
}

function touches(ring, [w, s, e, n]) {
  const any = (axis, low, high) =>
    ring.some((p) => p[axis] >= low * UNIT) && ring.some((p) => p[axis] <= high * UNIT);
  return any('x', w, e) && any('y', s, n);
}

const children = (node) => Array.from({ length: node.count }, (_, i) => node.child(i));

/** A line cut to a box: the pieces inside. */
function clipLine(line, box) {
  let pieces = [line];
  for (const [inside, axis, at] of SIDES(box)) {
    const kept = [];
    for (const piece of pieces) {
      let open = [];
      piece.forEach((point, i) => {
        const before = piece[i - 1];
        if (before && inside(point) !== inside(before)) open.push(crossing(before, point, axis, at));
        if (inside(point)) open.push(point);
        else if (open.length) { kept.push(open); open = []; }
      });
      kept.push(open);
    }
    pieces = kept.filter((piece) => piece.length > 1);
  }
  return pieces;
}

/** Points in whole units, repeated ones dropped, each as the step from the one before. */
function pack(points) {
  const packed = [];
  let [x, y] = [0, 0];
  points.forEach((point, i) => {
    const [dx, dy] = [point.x - x, point.y - y];
    if (i > 0 && dx === 0 && dy === 0) return;
    packed.push(dx, dy);
    [x, y] = [point.x, point.y];
  });
  return packed;
}

/**
 * A ring of the source, which jumps where it crosses the date line, as one that runs on beyond 180
 * degrees; the one about the pole is closed over it.
 */
function unrolled(ring) {
  let turn = 0;
  const points = ring.map(([x, y], i) => {
    const jump = i ? x - ring[i - 1][0] : 0;
    if (Math.abs(jump) > 180) turn -= 360 * Math.sign(jump);
    return [x + turn, y];
  });
  const [first, last] = [points[0], points.at(-1)];
  return Math.abs(first[0] - last[0]) > 180 ? [...points, [last[0], -90], [first[0], -90]] : points.slice(0, -1);
}

function land(topology, box) {
  const polygons = feature(topology, topology.objects.land).features.flatMap((f) => f.geometry.coordinates);
  const rings = polygons.flat().map(unrolled).flatMap((ring) =>
    [-360, 0, 360].map((turn) => ring.map(([x, y]) => whole([x + turn, y]))),
  );
  return { box, polygons: clipRings(rings, box).map((polygon) => polygon.map(pack)) };
}

function borders(topology, box) {
  const inner = mesh(topology, topology.objects.countries, (a, b) => a !== b);
  return inner.coordinates.flatMap((line) => clipLine(line, box)).map((line) => pack(line.map(whole)));
}

const [fine, middle, coarse] = ['10m', '50m', '110m'].map(atlas);
const rest = [
  ...around(NEAR, WIDE).map((box) => [middle, box]),
  ...around(WIDE, WORLD).map((box) => [coarse, box]),
];
const parts = [[fine, NEAR], ...rest];
const basemap = {
  unit: UNIT,
  land: parts.map(([topology, box]) => land(topology, box)),
  borders: parts.flatMap(([topology, box]) => borders(topology, box)),
};
const out = join(HERE, '../.generated');
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'basemap.json'), JSON.stringify(basemap));
