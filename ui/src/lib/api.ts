// The home API of the node that served this page; no request goes anywhere else.
import type { FeatureCollection } from 'geojson';
import type {
  AsView, ConsentForm, Craft, Explanation, Finding, Item, Link, Notice, Picture, Policies, PolicyPreview, ReportForm,
  RequestForm, Step, Text, User,
} from './types';

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

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let reply: Response;
  try {
    reply = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: method === 'GET' ? {} : { 'X-Samsyn': '1', 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (failed) {
    throw new Unreachable(String(failed));
  }
  const content: unknown = await reply.json().catch(() => null);
  if (!reply.ok) {
    const error = (content as { error?: Partial<Text> } | null)?.error;
    throw new Failure(reply.status, error?.en ? { en: error.en, sv: error.sv ?? error.en } : null);
  }
  return content as T;
}

const at = encodeURIComponent;

export const api = {
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
  policies: () => ask<Policies>('GET', '/api/policy'),
  previewPolicy: (what: { text: string } | { id: number }) => ask<PolicyPreview>('POST', '/api/policy/preview', what),
  proposePolicy: (text: string) => ask<{ id: number }>('POST', '/api/policy/propose', { text }),
  approvePolicy: (id: number, sha256: string, catch_up: string) =>
    ask<{ caught_up: number }>('POST', '/api/policy/approve', { id, sha256, catch_up }),
  rejectPolicy: (id: number, why: string) => ask<unknown>('POST', '/api/policy/reject', { id, why }),
  notices: async () => (await ask<{ items: Notice[] }>('GET', '/api/notices')).items,
  request: (form: RequestForm) => ask<Item>('POST', '/api/requests', form),
  consent: (form: ConsentForm) => ask<Item>('POST', '/api/consents', form),
  report: (form: ReportForm) => ask<Item>('POST', '/api/reports', form),
};
