// Writes the basemap for other programs, `.generated/baltic.pmtiles`, from the page's own
// (`basemap.mjs`): vector tiles of the world to zoom 4, of the sea around the Baltic to zoom 8.
//
// PMTiles 3: https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md; its tiles are Mapbox Vector
// Tiles 2.1: layer `land` (polygons) and `borders` (lines), without attributes. The same source gives
// the same bytes.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const HERE = dirname(fileURLToPath(import.meta.url));
const EXTENT = 4096;
const AROUND = 64; // of a tile's units that its lines and areas go on beyond it: no seams
const FINEST = 8; // its unit is 38 m at the equator, 20 m in the Baltic: finer than the source
const WORLD_TO = 4;
const NEAR = [-12, 48, 45, 75]; // as in basemap.mjs
const SIZE = EXTENT * 2 ** FINEST; // of the world, in units of the finest tiles
const POLE = 85.0511; // where Web Mercator ends
const ROOT_BYTES = 16384 - 127; // what a reader fetches first must hold the whole directory

/** Longitude and latitude as whole units of the finest tiles, y to the south. */
function project(lon, lat) {
  const south = Math.max(-POLE, Math.min(POLE, lat)) * (Math.PI / 180);
  const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + south / 2)) / (2 * Math.PI);
  return { x: Math.round((lon / 360 + 0.5) * SIZE), y: Math.round(y * SIZE) };
}

/** A packed line of basemap.json, projected. */
function unpack(packed, unit) {
  const points = [];
  let [x, y] = [0, 0];
  for (let i = 0; i < packed.length; i += 2) {
    [x, y] = [x + packed[i], y + packed[i + 1]];
    points.push(project(x / unit, y / unit));
  }
  return points;
}

/** Where a tile lies, in units of the finest ones, and with what is around it. */
function boxOf(z, x, y) {
  const [size, around] = [EXTENT * 2 ** (FINEST - z), AROUND * 2 ** (FINEST - z)];
  const [west, north] = [x * size, y * size];
  return { west, north, w: west - around, n: north - around, e: west + size + around, s: north + size + around };
}

const SIDES = ({ w, n, e, s }) => [
  [(p) => p.x >= w, 'x', w],
  [(p) => p.y >= n, 'y', n],
  [(p) => p.x <= e, 'x', e],
  [(p) => p.y <= s, 'y', s],
];

/** The point where the segment a-b meets the line axis = at, in whole units. */
function crossing(a, b, axis, at) {
  const share = (at - a[axis]) / (b[axis] - a[axis]);
  const point = { x: Math.round(a.x + share * (b.x - a.x)), y: Math.round(a.y + share * (b.y - a.y)) };
  point[axis] = at;
  return point;
}

/** A ring cut to a box (Sutherland and Hodgman): what leaves and comes back goes along the edge. */
function cutRing(ring, box) {
  for (const [inside, axis, at] of SIDES(box)) {
    const kept = [];
    ring.forEach((point, i) => {
      const before = ring.at(i - 1);
      if (inside(point) !== inside(before)) kept.push(crossing(before, point, axis, at));
      if (inside(point)) kept.push(point);
    });
    ring = kept;
  }
  return ring;
}

/** Polygons cut to a box; the outer ring is the first. */
function cutPolygons(polygons, box) {
  return polygons
    .filter(([outer]) => touches(outer, box))
    .map((rings) => (within(rings[0], box) ? rings : rings.map((ring) => cutRing(ring, box))))
    .filter(([outer]) => outer.length > 2);
}

/** A line cut to a box: the pieces inside. */
function cutLine(line, box) {
  let pieces = [line];
  for (const [inside, axis, at] of SIDES(box)) {
    pieces = pieces.flatMap((piece) => {
      const kept = [];
      let open = [];
      piece.forEach((point, i) => {
        const before = piece[i - 1];
        if (before && inside(point) !== inside(before)) open.push(crossing(before, point, axis, at));
        if (inside(point)) open.push(point);
        else if (open.length) [kept.push(open), (open = [])];
      });
      return [...kept, open].filter((one) => one.length > 1);
    });
  }
  return pieces;
}

const touches = (line, { w, n, e, s }) =>
  line.some((p) => p.x >= w) && line.some((p) => p.x <= e) && line.some((p) => p.y >= n) && line.some((p) => p.y <= s);

const within = (line, { w, n, e, s }) => line.every((p) => p.x >= w && p.x <= e && p.y >= n && p.y <= s);

// --- protocol buffers, as much of them as a tile has

function varint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

const field = (number, bytes) => [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
const text = (words) => [...Buffer.from(words)];
const zigzag = (value) => (value < 0 ? -2 * value - 1 : 2 * value);
const packedInts = (values) => values.flatMap(varint);

/** Twice the area of a ring, positive where it runs clockwise on the screen (y to the south). */
function area(ring) {
  return ring.reduce((sum, p, i) => {
    const q = ring[(i + 1) % ring.length];
    return sum + p.x * q.y - q.x * p.y;
  }, 0);
}

/** Commands of one feature (MVT 2.1, 4.3): `closed` for rings, which must wind as `clockwise` says. */
function commands(shapes) {
  const said = [];
  let [x, y] = [0, 0];
  for (const { points, closed } of shapes) {
    points.forEach((p, i) => {
      if (i === 0) said.push(1 * 1 + 8 * 1);
      if (i === 1) said.push(2 + 8 * (points.length - 1));
      said.push(zigzag(p.x - x), zigzag(p.y - y));
      [x, y] = [p.x, p.y];
    });
    if (closed) said.push(7 + 8);
  }
  return said;
}

const feature = (type, shapes) => [...varint(3 * 8), type, ...field(4, packedInts(commands(shapes)))];

function layer(name, features) {
  const head = [...varint(15 * 8), 2, ...field(1, text(name))];
  const body = features.flatMap((one) => field(2, one));
  return features.length ? field(3, [...head, ...body, ...varint(5 * 8), ...varint(EXTENT)]) : [];
}

// --- one tile

const wound = (ring, outer) => (area(ring) > 0 === outer ? ring : [...ring].reverse());
const seen = (ring) => ring.length > 2 && Math.abs(area(ring)) >= 4;

/** What is in a tile, of geometry in the finest units; null: nothing. */
function tile(z, x, y, polygons, lines) {
  const { west, north } = boxOf(z, x, y);
  const step = 2 ** (FINEST - z);
  const local = (line) =>
    distinct(line.map((p) => ({ x: Math.round((p.x - west) / step), y: Math.round((p.y - north) / step) })));
  const around = (ring) => opened(local(ring));
  const areas = polygons
    .map((rings) => rings.map(around))
    .filter(([outer]) => seen(outer))
    .map(([outer, ...holes]) => [wound(outer, true), ...holes.filter(seen).map((hole) => wound(hole, false))])
    .map((rings) => feature(3, rings.map((points) => ({ points, closed: true }))));
  const paths = lines
    .map(local)
    .filter((line) => line.length > 1)
    .map((points) => feature(2, [{ points, closed: false }]));
  const bytes = [...layer('land', areas), ...layer('borders', paths)];
  return bytes.length ? gzipSync(Uint8Array.from(bytes), { level: 9 }) : null;
}

const opened = (ring) => (ring.length > 1 && same(ring[0], ring.at(-1)) ? ring.slice(0, -1) : ring);
const same = (p, q) => p.x === q.x && p.y === q.y;
const distinct = (line) => line.filter((p, i) => i === 0 || !same(p, line[i - 1]));

/** All tiles at and below one, with the geometry that is left of it. */
function descend(z, x, y, polygons, lines, near, found) {
  const box = boxOf(z, x, y);
  if (z > WORLD_TO && (box.w > near.e || box.e < near.w || box.n > near.s || box.s < near.n)) return;
  const inside = cutPolygons(polygons, box);
  const along = lines.filter((line) => touches(line, box)).flatMap((line) => cutLine(line, box));
  if (!inside.length && !along.length) return;
  const made = tile(z, x, y, inside, along);
  if (made) found.push({ id: tileId(z, x, y), data: made });
  if (z === FINEST) return;
  for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
    descend(z + 1, 2 * x + dx, 2 * y + dy, inside, along, near, found);
  }
}

/** Tiles are numbered zoom by zoom, along a Hilbert curve within each. */
function tileId(z, x, y) {
  let id = (4 ** z - 1) / 3;
  for (let s = 2 ** (z - 1); s >= 1; s /= 2) {
    const [rx, ry] = [x & s ? 1 : 0, y & s ? 1 : 0];
    id += s * s * ((3 * rx) ^ ry);
    if (ry === 0) {
      if (rx === 1) [x, y] = [s - 1 - (x & (s - 1)), s - 1 - (y & (s - 1))];
      [x, y] = [y, x];
    }
  }
  return id;
}

// --- the archive

/** Entries of a directory: equal tiles share their bytes, equal ones in a row share an entry. */
function placed(tiles) {
  const [entries, contents, known] = [[], [], new Map()];
  let size = 0;
  for (const { id, data } of tiles) {
    const hash = createHash('sha256').update(data).digest('hex');
    if (!known.has(hash)) {
      known.set(hash, size);
      contents.push(data);
      size += data.length;
    }
    const [offset, last] = [known.get(hash), entries.at(-1)];
    if (last && last.offset === offset && last.id + last.run === id) last.run += 1;
    else entries.push({ id, run: 1, offset, length: data.length });
  }
  return { entries, contents };
}

function directory(entries) {
  const ids = entries.map((entry, i) => entry.id - (i ? entries[i - 1].id : 0));
  const offsets = entries.map(({ offset }, i) => {
    const before = entries[i - 1];
    return before && offset === before.offset + before.length ? 0 : offset + 1;
  });
  const columns = [ids, entries.map((e) => e.run), entries.map((e) => e.length), offsets];
  return gzipSync(Uint8Array.from([...varint(entries.length), ...columns.flatMap(packedInts)]), { level: 9 });
}

function header(sizes, counts, [w, s, e, n]) {
  const made = Buffer.alloc(127);
  made.write('PMTiles');
  made[7] = 3;
  let at = 127;
  [sizes.root, sizes.metadata, 0, sizes.tiles].forEach((size, i) => {
    made.writeBigUInt64LE(BigInt(at), 8 + 16 * i);
    made.writeBigUInt64LE(BigInt(size), 16 + 16 * i);
    at += size;
  });
  counts.forEach((count, i) => made.writeBigUInt64LE(BigInt(count), 72 + 8 * i));
  made.set([1, 2, 2, 1, 0, FINEST], 96); // clustered; directories and tiles gzip; MVT; zooms
  [w, s, e, n].forEach((degrees, i) => made.writeInt32LE(Math.round(degrees * 1e7), 102 + 4 * i));
  made[118] = WORLD_TO;
  [(NEAR[0] + NEAR[2]) / 2, (NEAR[1] + NEAR[3]) / 2].forEach((d, i) => made.writeInt32LE(d * 1e7, 119 + 4 * i));
  return made;
}

const METADATA = {
  name: 'Samsyn basemap',
  description: 'Land and borders, fine around the Baltic',
  attribution: 'Made with Natural Earth',
  type: 'baselayer',
  vector_layers: [
    { id: 'land', fields: {}, minzoom: 0, maxzoom: FINEST },
    { id: 'borders', fields: {}, minzoom: 0, maxzoom: FINEST },
  ],
};

const basemap = JSON.parse(readFileSync(join(HERE, '../.generated/basemap.json'), 'utf8'));
const land = basemap.land.flatMap(({ polygons }) => polygons);
const polygons = land.map((rings) => rings.map((ring) => unpack(ring, basemap.unit)));
const lines = basemap.borders.map((line) => unpack(line, basemap.unit));
const [low, high] = [project(NEAR[0], NEAR[3]), project(NEAR[2], NEAR[1])];
const tiles = [];
descend(0, 0, 0, polygons, lines, { w: low.x, n: low.y, e: high.x, s: high.y }, tiles);
tiles.sort((a, b) => a.id - b.id);
const { entries, contents } = placed(tiles);
const root = directory(entries);
if (root.length > ROOT_BYTES) throw new Error(`a directory of ${root.length} bytes needs leaves`);
const metadata = gzipSync(JSON.stringify(METADATA), { level: 9 });
const data = Buffer.concat(contents);
const sizes = { root: root.length, metadata: metadata.length, tiles: data.length };
const head = header(sizes, [tiles.length, entries.length, contents.length], [-180, -POLE, 180, POLE]);
writeFileSync(join(HERE, '../.generated/baltic.pmtiles'), Buffer.concat([head, root, metadata, data]));
