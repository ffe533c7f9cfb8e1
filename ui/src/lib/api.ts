// The home API of the node that served this page; no request goes anywhere else.
import type { Feature, FeatureCollection } from 'geojson';
import type {
  Activity, AsView, AuditPage, AuditQuery, ConsentForm, Craft, Explanation, FeedAct, FeedBook, FeedForm, FeedTrial, Finding, GivenAnswer, Interference, Item, Known, Link, Notice, Picture,
  Policies, PolicyPreview, Proof, Reach, ReportForm, RequestForm, SavedView, Step, Text, Trail, User, ZoneBook, ZoneFault,
} from './types';

import { typedUs } from './audit.svelte';

/** A reply that says no. `text` is the node's own explanation, in both languages, where it gave one. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly text: Text | null,
  ) {
    super(text?.en ?? `HTTP ${status}`);
  }
}

/** The node does not answer at all. */
export class Unreachable extends Error {}

async function reply(method: string, path: string, body?: unknown): Promise<Response> {
  const file = body instanceof Blob;
  let replied: Response;
  try {
    replied = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers:
        method === 'GET'
          ? {}
          : { 'X-Samsyn': '1', 'Content-Type': file ? 'application/octet-stream' : 'application/json' },
      body: body === undefined ? undefined : file ? body : JSON.stringify(body),
    });
  } catch (failed) {
    throw new Unreachable(String(failed));
  }
  if (!replied.ok) {
    const content: unknown = await replied.json().catch(() => null);
    const error = (content as { error?: Partial<Text> } | null)?.error;
    throw new Failure(replied.status, error?.en ? { en: error.en, sv: error.sv ?? error.en } : null);
  }
  return replied;
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await reply(method, path, body)).json().catch(() => null)) as T;
}

const at = encodeURIComponent;

/** The filter of the audit log as the node reads it. */
function auditForm({ did, by, partner, since, until }: AuditQuery): Record<string, string | number> {
  const times = { since_us: typedUs(since), until_us: typedUs(until) };
  const all = Object.entries({ did, by, partner, ...times });
  return Object.fromEntries(all.filter((one): one is [string, string | number] => one[1] !== '' && one[1] !== null));
}

function span({ since, until }: AuditQuery): { from_us: number; to_us: number } {
  return { from_us: typedUs(since) ?? 0, to_us: typedUs(until) ?? Number.MAX_SAFE_INTEGER };
}

const asked = (values: Record<string, string | number>) =>
  new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)])).toString();

export const api = {
  ways: () => ask<{ provider: string | null }>('GET', '/api/sign-in'),
  session: () => ask<User>('GET', '/api/session'),
  signIn: (user: string, password: string) => ask<User>('POST', '/api/session', { user, password }),
  signOut: () => ask<unknown>('DELETE', '/api/session'),
  picture: () => ask<Picture>('GET', '/api/picture'),
  statements: async () => (await ask<{ items: Item[] }>('GET', '/api/statements')).items,
  links: async () => (await ask<{ links: Link[] }>('GET', '/api/links')).links,
  findings: async () => (await ask<{ items: Finding[] }>('GET', '/api/findings')).items,
  zones: () => ask<FeatureCollection>('GET', '/api/zones'),
  craft: (domain: number, number: number) => ask<Craft>('GET', `/api/tracks/${domain}/${number}`),
  withdraw: (jti: string, purge: boolean, why: string) =>
    ask<Item>('POST', `/api/statements/${at(jti)}/withdraw`, { purge, why }),
  handle: (jti: string, step: Step, due_us: number | null) =>
    ask<Item>('POST', `/api/statements/${at(jti)}/handle`, { step, due_us }),
  explain: (jti: string, reader: string) =>
    ask<Explanation>('GET', `/api/statements/${at(jti)}/explain?reader=${at(reader)}`),
  as: (reader: string) => ask<AsView>('GET', `/api/as/${at(reader)}`),
  past: (us: number) => ask<Known>('GET', `/api/past?at_us=${us}`),
  pastAs: (us: number, reader: string) => ask<AsView>('GET', `/api/past/as/${at(reader)}?at_us=${us}`),
  pastFrame: async (us: number, box: number[]) =>
    (await reply('GET', `/api/past/frame?at_us=${us}&box=${box.map((deg) => deg.toFixed(4)).join()}`)).arrayBuffer(),
  views: async () => (await ask<{ items: SavedView[] }>('GET', '/api/views')).items,
  keepView: async (name: string, address: string) =>
    (await ask<{ items: SavedView[] }>('POST', '/api/views/keep', { name, address })).items,
  forgetView: async (name: string) => (await ask<{ items: SavedView[] }>('POST', '/api/views/forget', { name })).items,
  interference: (us: number | null) => ask<Interference>('GET', `/api/interference${us === null ? '' : `?at=${us}`}`),
  activity: (us: number | null) => ask<Activity>('GET', `/api/activity${us === null ? '' : `?at=${us}`}`),
  trail: (craft: string, fromUs: number, toUs: number, knownUs: number | null) =>
    ask<Trail>('GET', `/api/past/trail/${at(craft)}?from_us=${fromUs}&to_us=${toUs}${knownUs === null ? '' : `&known_us=${knownUs}`}`),
  policies: () => ask<Policies>('GET', '/api/policy'),
  previewPolicy: (what: { text: string } | { id: number }) => ask<PolicyPreview>('POST', '/api/policy/preview', what),
  proposePolicy: (text: string) => ask<{ id: number }>('POST', '/api/policy/propose', { text }),
  approvePolicy: (id: number, sha256: string, catch_up: string) =>
    ask<{ caught_up: number }>('POST', '/api/policy/approve', { id, sha256, catch_up }),
  rejectPolicy: (id: number, why: string) => ask<unknown>('POST', '/api/policy/reject', { id, why }),
  notices: async () => (await ask<{ items: Notice[] }>('GET', '/api/notices')).items,
  request: (form: RequestForm) => ask<Item>('POST', '/api/requests', form),
  consent: (form: ConsentForm) => ask<Item>('POST', '/api/consents', form),
  reach: async (form: ReportForm) => (await ask<{ items: Reach[] }>('POST', '/api/reports/reach', form)).items,
  audit: (query: AuditQuery) =>
    ask<AuditPage>('GET', `/api/audit?${asked({ ...auditForm(query), ...(query.before && { before: query.before }) })}`),
  given: (query: AuditQuery) =>
    ask<GivenAnswer>('GET', `/api/audit/released?${asked({ to: query.partner, ...span(query) })}`),
  zoneBook: () => ask<ZoneBook>('GET', '/api/settings/zones'),
  changeZones: (change: { seen: string; put?: Feature[]; remove?: string[] }) =>
    ask<{ written: boolean; faults: ZoneFault[] }>('POST', '/api/settings/zones/change', change),
  feedBook: () => ask<FeedBook>('GET', '/api/settings/feeds'),
  putFeed: (form: FeedForm) => ask<{ wrong: Record<string, string> }>('POST', '/api/settings/feeds/put', form),
  stepFeed: (name: string, act: FeedAct) => ask<void>('POST', '/api/settings/feeds/step', { name, act }),
  tryFeed: (form: FeedForm) =>
    ask<{ wrong: Record<string, string>; trial: FeedTrial | null }>('POST', '/api/settings/feeds/try', form),
  proof: () => ask<Proof>('GET', '/api/audit/proof'),
  verify: () => ask<Proof>('POST', '/api/audit/verify', {}),
  exportAudit: async (query: AuditQuery, form: 'jsonl' | 'csv') => {
    const { from_us, to_us } = span(query);
    const released = { to: query.partner, since_us: from_us, until_us: to_us };
    const body = query.view === 'released' ? released : auditForm(query);
    const made = await reply('POST', '/api/audit/export', { form, ...body });
    const name = /filename="([^"]+)"/.exec(made.headers.get('content-disposition') ?? '')?.[1] ?? `audit.${form}`;
    return { name, data: await made.blob() };
  },
  attachment: (jti: string, sha256: string) => `/api/statements/${at(jti)}/attachments/${at(sha256)}`,
  fetchAttachment: (jti: string, sha256: string) =>
    ask<Item>('POST', `/api/statements/${at(jti)}/attachments/${at(sha256)}/fetch`, {}),
  keepUpload: (sha256: string, file: Blob) => ask<unknown>('PUT', `/api/attachments/${at(sha256)}`, file),
  report: (form: ReportForm) => ask<Item>('POST', '/api/reports', form),
};
