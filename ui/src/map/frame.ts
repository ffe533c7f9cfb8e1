// A track frame of the node, decoded: Arrow IPC, one column an array, one row a craft.
import { tableFromIPC, type Table } from '@uwdata/flechette';
import { AIR, UNNAMED, type CraftId } from '../lib/craft';

export const ON_GROUND = 1;
export const EMERGENCY = 2;
export const IMPLAUSIBLE = 4;
export const FROM_PARTNER = 16;
const NOBODY_NAMES = 32;

type Numbers = Float32Array | Uint32Array | Uint8Array;

export class Frame {
  readonly count: number;
  readonly domain: Numbers;
  readonly number: Numbers;
  readonly lat: Numbers;
  readonly lon: Numbers;
  readonly course: Numbers; // degrees, NaN where not known
  readonly speed: Numbers; // knots, NaN where not known
  readonly age: Numbers; // seconds
  readonly altitude: Numbers; // feet, NaN where not known
  readonly flags: Numbers;
  readonly symbol: Numbers; // which of the picture's symbols

  constructor(bytes: ArrayBuffer) {
    const table = decoded(bytes);
    const column = (name: string): Numbers => {
      const found = table?.getChild(name)?.toArray();
      // a column with nulls comes as a list; the frame's own columns have none
      return ArrayBuffer.isView(found) ? (found as Numbers) : Float32Array.from(found ?? [], toNumber);
    };
    this.count = table?.numRows ?? 0;
    this.domain = column('domain');
    this.number = column('number');
    this.lat = column('lat');
    this.lon = column('lon');
    this.course = column('course_deg');
    this.speed = column('speed_kn');
    this.age = column('age_s');
    this.altitude = column('altitude_ft');
    this.flags = column('flags');
    this.symbol = column('symbol');
  }

  id(row: number): CraftId {
    return { domain: this.#domain(row), number: this.number[row]! };
  }

  row(id: CraftId): number {
    for (let i = 0; i < this.count; i++) {
      if (this.number[i] === id.number && this.#domain(i) === id.domain) return i;
    }
    return -1;
  }

  /** One number for whose track a row is, within 53 bits. */
  key(row: number): number {
    return this.#domain(row) * 2 ** 32 + this.number[row]!;
  }

  /** Its craft's; `domain` is only where it moves. */
  #domain(row: number): number {
    return this.domain[row]! + (this.flags[row]! & NOBODY_NAMES ? UNNAMED : 0);
  }

  counts(): { sea: number; air: number } {
    let air = 0;
    for (let i = 0; i < this.count; i++) if (this.domain[i] === AIR) air++;
    return { sea: this.count - air, air };
  }
}

const EMPTY_BYTES = 4096; // a frame without rows is a schema and little else

/** The frame's table; null for one without rows, whose batch has no body, which the decoder cannot take. */
function decoded(bytes: ArrayBuffer): Table | null {
  try {
    return tableFromIPC(new Uint8Array(bytes));
  } catch (failed) {
    if (failed instanceof TypeError && bytes.byteLength < EMPTY_BYTES) return null;
    throw failed;
  }
}

function toNumber(value: unknown): number {
  return value == null ? NaN : Number(value);
}
