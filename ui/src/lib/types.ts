// What the node's home API says. Times are microseconds UTC (`_us`), as everywhere in Samsyn.
import type { Attachment, Named } from './attach';
import type { Feature, Geometry } from 'geojson';

export type Lang = 'en' | 'sv';
export type Text = Record<Lang, string>;

export interface User {
  user: string;
  name: string;
  role: string;
  clearance: string;
}

export interface Feed {
  name: string;
  kind: string;
  title: Text;
  marking: string;
  state: 'live' | 'silent' | 'ended' | 'waiting' | 'failed';
  rows: number;
  refused: number;
  last_heard_us: number | null; // by the wall clock, also in an exercise
  problem?: string;
}

export interface Threshold {
  value: number;
  unit: string;
  meaning?: Text;
}

export interface Detector {
  title: Text;
  definition: Text;
  what_to_do: Text;
  known_errors: ({ id?: string } & Text)[];
  closed?: Record<string, Text>;
  thresholds: Record<string, Threshold>;
}

export interface Picture {
  node: string;
  organisation: string;
  realm: 'actual' | 'exercise';
  now_us: number;
  speed: number;
  marking: string; // the strictest of what there is for this person
  default_marking: string; // of what says none
  partners: string[];
  feeds: Feed[];
  detectors: Record<string, Detector>;
  symbols: string[]; // codes of APP-6, as frames count them
}

export interface EvidenceRow {
  time_us: number;
  lat?: number | null;
  lon?: number | null;
  speed_kn?: number | null;
  course_deg?: number | null;
  heading_deg?: number | null;
  altitude_ft?: number | null;
  craft?: string; // whose row, where the evidence is of several
  // what else a detector measured: of a pair its distance, of a position its integrity
  [more: string]: number | string | boolean | null | undefined;
}

export interface Provenance {
  said_by: string;
  organisation: string;
  signature: string;
  key: string;
  through: string;
  entry?: number | null;
  place: string;
  time: string;
  withheld: boolean;
}

export interface Released {
  reader: string;
  op: 'release' | 'widen' | 'withdraw';
  rule: string;
  why: string;
  place: string;
  time: string;
  hidden: string[];
  sent: boolean;
  applied: boolean;
  at_us: number;
}

/** How far our own people are with a statement. */
export interface Handling {
  acknowledged_by: string | null;
  acknowledged_us: number | null;
  acknowledged_ver: number | null;
  owner: string | null;
  owner_us: number | null;
  due_us: number | null;
}

export type Step = 'acknowledge' | 'take' | 'let-go' | 'due';

/** One statement as this node holds it. After a purge the slots are empty and the marking unknown. */
export interface Item {
  iss: string;
  jti: string;
  ver: number;
  kind: string;
  marking: string | null;
  onward: string | null;
  exercise: boolean | null;
  state: 'standing' | 'superseded' | 'withdrawn';
  purged: boolean;
  own: boolean;
  received_at_us: number | null;
  slots: Record<string, unknown>;
  provenance: Provenance;
  released: Released[];
  handling: Handling;
  footprint: Geometry | null;
  attachments?: Attachment[]; // none in what a partner is shown to hold
}

export interface Finding {
  key: string;
  detector: string;
  craft: string | null;
  other: string | null;
  domain: 'sea' | 'air';
  cell: string | null;
  group: string | null;
  state: 'open' | 'closed';
  start_us: number;
  updated_us: number;
  found_us: number; // of its first revision; 0: not kept
  end_us: number | null;
  lat: number | null;
  lon: number | null;
  measured: Record<string, number>;
  thresholds: Record<string, number>;
  zone: string | null;
  evidence: EvidenceRow[];
  feed: string;
  known_errors: string[];
  closed_because: string | null;
  signed: string | null;
  marking: string;
}

export interface Link {
  partner: string;
  organisation: string;
  state: 'up' | 'waiting' | 'refused' | 'down';
  last_heard_us: number | null; // by the wall clock, also in an exercise
  sent: number | null; // figures are told only to who may see all that they count
  applied: number | null;
  held: number | null; // releases that wait for a delay to end, or for the partner to be served again
  withdrawn: number | null; // statements, of these:
  purges: number | null; // told to forget, of these:
  purged: number | null; // confirmed
  received: number | null;
  refused: ({ reason: string } & Text) | null;
}

export interface Explanation extends Text {
  released: boolean;
  rule: string | null;
}

/** A statement of ours as one partner holds it. */
export interface AsHeld {
  jti: string;
  ver: number;
  iss: string;
  kind: string;
  marking: string;
  onward: string;
  exercise: boolean;
  slots: Record<string, unknown>;
  footprint: Geometry | null;
  place: string;
  time: string;
  given_us: number | null;
  applied: boolean;
  rules: { rule: string; why: string }[];
  left_out: { slot: string; rules: string[]; hidden_by: string[] }[];
  latest_ver: number;
}

/** Our picture as one partner has it, or had it at `at_us`. */
export interface AsView {
  reader: string;
  organisation: string;
  at_us?: number;
  until_us?: number | null; // when it changed next
  purged_since?: { jti: string; ver: number; kind: string }[]; // what it held then and is gone now
  held: AsHeld[];
  withdrawn: { jti: string; ver: number; kind: string; purged: boolean }[];
  not_released: ({ jti: string; kind: string; title: string; rule: string | null } & Text)[];
}

export interface KeptPolicy {
  id: number;
  state: string;
  sha256: string;
  text: string;
  proposed_by: string;
  proposed_us: number;
  decided_by: string;
  decided_us: number | null;
}

export interface Policies {
  in_force: KeptPolicy | null;
  proposed: KeptPolicy[];
}

type Counts = Record<'newly_released' | 'widened' | 'narrowed' | 'withheld' | 'sooner' | 'later' | 'unchanged' | 'unreleased', number>;

export interface PolicyPreview {
  sha256: string;
  statements: number;
  changes: ({
    partner: string;
    examples: Record<string, { jti: string; title: string; old_rule: string | null; new_rule: string | null }[]>;
  } & Counts)[];
  tracks_change: boolean;
  given: unknown[];
  diff: string[];
}

/** What this node held at `at_us`. */
export interface Known {
  at_us: number;
  first_us: number | null; // when the first statement of all came
  tracks_from_us: number | null; // from when on observations are kept
  until_us: number | null; // when it changed next; null: not since
  items: Item[];
}

/** A view that this person keeps: its address is what stands behind # there. */
export interface SavedView {
  name: string;
  address: string;
}

/** How many craft one feed heard in one H3 cell in an hour, and how many had no good satellite position. */
export interface InterferenceCell {
  cell: string;
  domain: 'sea' | 'air';
  feed: string;
  ring: [number, number][];
  craft: number;
  poor: number;
  degraded: number;
  lost: number;
}

export interface Interference {
  hour_us: number | null;
  hours: number[];
  low: number; // shares from which a cell is drawn as touched and as disturbed
  high: number;
  cells: InterferenceCell[];
}

/** How many craft of one class came into a zone in an hour, against how many usually do. */
export interface ZoneActivity {
  zone: string;
  group: string;
  domain: 'sea' | 'air';
  craft: number;
  expected: number;
  high: number; // up to so many is usual
  unusual: number; // 1 more, -1 fewer, 0 neither
}

export interface Activity {
  hour_us: number | null;
  hours: number[];
  zones: ZoneActivity[];
}

/** Where one craft was, by its own times, as kept here; positions that physics forbids are left out. */
export interface Trail {
  craft: string;
  points: Record<'time_us' | 'lat' | 'lon', number[]> &
    Record<'altitude_ft' | 'speed_kn' | 'course_deg' | 'heading_deg', (number | null)[]>;
  breaks: number[]; // where a new part begins after a silence
  rows: number;
  doubted: number; // how many were left out
}

/** One craft's latest state: the columns of an observation; what was never heard is null. */
export type Craft = Record<string, number | string | boolean | null>;

export interface Notice extends Text {
  kind: string;
  about: string; // a statement's id, or a partner's name
}

export interface RequestForm {
  about: string;
  readers: string[];
  place: string;
  time: string;
  why: string;
}

export interface ConsentForm {
  request: string;
  given: boolean;
  until: string;
  why: string;
}

export interface ReportForm {
  title: string;
  text: string;
  summary: string;
  category: string;
  lat: number;
  lon: number;
  marking: string;
  confidence: string;
  attachments: Named[];
}

/** Whom a draft would reach, one reader. */
export interface Reach extends Text {
  reader: string;
  organisation: string;
  released: boolean;
  place?: string;
  time?: string;
  left_out?: string[];
  from_us?: number | null;
}

export interface AuditQuery {
  view: 'log' | 'released';
  did: string;
  by: string;
  partner: string;
  since: string; // as typed, UTC
  until: string;
  before: string; // the place that a page begins before; empty: the log's end
}

export interface NamedStatement {
  id: string;
  kind: string;
  marking: string | null;
  state: string;
  iss: string;
  title: string | null; // null: purged
  op?: 'release' | 'widen' | 'withdraw'; // in a channel: what was said of it
}

export interface AuditEntry {
  place: string;
  number: number | null; // of the log; null for who may not know how many there are
  at_us: number;
  by: string;
  did: string;
  what: Record<string, unknown>;
  statements: NamedStatement[];
  further: boolean;
  channels: { reader: string; from: number | null; size: number | null; statements: NamedStatement[]; further: boolean }[];
}

export interface AuditPage {
  entries: AuditEntry[];
  more: string | null;
  head: { size: number; root: string } | null;
  marking: string;
}

export interface GivenEntry {
  at: string;
  entry: number | null;
  op: 'release' | 'widen' | 'withdraw';
  id: string;
  ver: number;
  kind: string | null;
  marking: string | null;
  title: string | null;
  place: string;
  time: string;
  left_out: string[] | null;
  rules: { rule: string; why: string }[];
  purged: boolean;
  applied: string | null;
}

export interface GivenAnswer {
  to: string;
  entries: GivenEntry[];
  released: number;
  widened: number;
  withdrawn: number;
  statements: number;
  not_applied: number;
  marking: string;
}

export interface Proof {
  running: boolean;
  last: {
    at: string;
    by: string;
    sound: boolean;
    problem: string;
    stands: boolean;
    size: number | null;
    root: string | null;
    parts: { what: string; checked: number | null; problems: string[]; sound: boolean }[];
  } | null;
}

export interface ZoneBook {
  sha256: string; // of the file that is looked at: a change is made to this one
  features: Feature[];
  used_by: Record<string, string[]>; // detectors, by sort of zone
}

export interface ZoneFault {
  feature: number;
  field: string;
  text: string;
}

export interface FeedForm {
  name: string;
  kind: string;
  source: string; // as typed; of an address without its query
  marking: string;
  date: string;
  utc_offset: string;
  keep: string;
  poll_s: number;
  silent_after_s: number;
}

export interface FeedSetting extends FeedForm {
  suspended: boolean;
  here: boolean; // set in the picture: can be changed there
}

export type FeedAct = 'suspend' | 'resume' | 'remove';

export interface FeedBook {
  feeds: FeedSetting[];
  kinds: { name: string; title: Text; sources: string[] }[];
  markings: string[];
  usual: string;
}

export interface FeedTrial {
  rows: number;
  first: { time_us: number; craft: string; lat: number | null; lon: number | null; speed_kn: number | null }[];
  refused: Record<string, number>;
  bytes: number;
}
