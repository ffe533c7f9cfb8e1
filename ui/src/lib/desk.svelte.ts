// The whole state of the page, and the only place that changes it.
import type { FeatureCollection } from 'geojson';
import { api, Failure, Unreachable } from './api';
import { EVERYTHING } from './audit.svelte';
import { fromAddress, toAddress, type MapPlace } from './address';
import { Hourly } from './cells.svelte';
import { craftFromText, craftText, type CraftId } from './craft';
import { Drafts } from './drafts';
import { Live, type Note } from './live';
import { middle, type Zone } from './format';
import { strictest } from './marking';
import { Past } from './past.svelte';
import { aboutWhom, asks, findingsAt, haystack, passes, standing, titleOf } from './statement';
import { language, said, t } from './text.svelte';
import { TrailOf } from './trail.svelte';
import type { Still } from './sheet';
import { marks, TimeWindow, type During, type Mark } from './timeline.svelte';
import { HOME, LAYERS, type Filter, type Page, type Shown, type Tab } from './view';
import type {
  AsView, AuditQuery, ConsentForm, Finding, Item, Link, Notice, Picture, ReportForm, RequestForm, SavedView, Step, User,
} from './types';

type List = 'statements' | 'links' | 'findings' | 'feeds' | 'zones';

const ZONE_KEPT = 'samsyn.zone';
const SIGNED_KEPT = 'samsyn.signed'; // since when; the session itself is a cookie that no script can read

class Desk {
  user = $state<User | null | undefined>(undefined); // undefined: not asked yet
  picture = $state.raw<Picture | null>(null);
  liveItems = $state.raw<Item[]>([]);
  links = $state.raw<Link[]>([]);
  liveFindings = $state.raw<Finding[]>([]);
  notices = $state.raw<Notice[]>([]);
  zones = $state.raw<FeatureCollection | null>(null);
  shown = $state.raw<Shown | null>(null);
  tab = $state<Tab>('inbox');
  filter = $state<Filter>('all');
  search = $state('');
  cursor = $state(0);
  line = $state<'up' | 'down' | 'new'>('new');
  downSinceMs = $state(0);
  heardMs = $state(Date.now()); // when the node was last heard, by this machine's clock
  ended = $state(false); // the session has, by itself
  recovered = $state(false);
  help = $state(false);
  page = $state<Page>('map');
  audit = $state.raw<AuditQuery>(EVERYTHING); // what the audit page looks at
  sheet = $state(false); // the hand-over sheet is open
  remarks = $state(''); // what whoever hands over writes on it
  sinceUs = $state(Number(localStorage.getItem(SIGNED_KEPT)) || 0); // when this person signed in here; 0: not known
  reader = $state<string | null>(null); // set: the picture as this partner has it
  liveAs = $state.raw<AsView | null>(null);
  table = $state(false); // the table twin of the map
  zone = $state<Zone>(localStorage.getItem(ZONE_KEPT) === 'local' ? 'local' : 'utc');
  liveUs = $state(0); // the realm's own time: in an exercise, the exercise's
  wallUs = $state(Date.now() * 1000); // the time at which partners and feeds were really heard
  unread = $state.raw<ReadonlySet<string>>(new Set());

  past = new Past({
    liveUs: () => this.liveUs,
    reader: () => this.reader,
    viewport: () => this.#viewport,
    frame: (bytes) => this.onFrame(bytes),
    left: () => this.#backToLive(),
    denied: () => this.#leave(),
  });
  // what is shown: of now, or of the time that is looked back at
  nowUs = $derived(this.past.atUs ?? this.liveUs);
  items = $derived(this.past.on ? (this.past.known?.items ?? []) : this.liveItems);
  findings = $derived(this.past.on ? findingsAt(this.liveFindings, this.nowUs) : this.liveFindings);
  as = $derived(this.reader === null ? null : this.past.on ? this.past.as : this.liveAs);

  window = new TimeWindow();
  marks = $derived(marks(this.liveItems, this.liveFindings)); // also what is later than the time looked at
  during = $state.raw<During | null>(null); // the inbox is narrowed to what came then
  lanes = $state(true);
  timeTable = $state(false); // the table twin of the timeline

  drafts = new Drafts(() => this.user?.user ?? '');
  trailOf = new TrailOf();
  interference = new Hourly((us) => api.interference(us));
  activity = new Hourly((us) => api.activity(us));
  views = $state.raw<SavedView[]>([]);
  viewsOpen = $state(false);
  cellTable = $state(false); // the table twin of the cells
  layersOpen = $state(false);
  // the craft whose trail is drawn: looked at itself, or what the statement or the finding is about
  craft = $derived.by((): CraftId | null => {
    const shown = this.shown;
    if (this.reader) return null; // no partner sees our tracks as we do
    if (shown?.what === 'craft') return shown.id;
    if (shown?.what === 'finding') return craftFromText(this.findings.find((f) => f.key === shown.key)?.craft);
    return craftFromText(this.selected?.slots['body.craft']);
  });

  matching = $derived(this.items.filter((item) => this.#matches(item)));
  /** Of the page: the strictest of what it has, findings that nobody has signed among it. */
  marking = $derived(strictest([this.picture?.marking ?? '', ...this.liveFindings.map((finding) => finding.marking)]));
  openCount = $derived(this.liveItems.filter((item) => standing(item) === 'open').length);
  unsigned = $derived(this.findings.filter((finding) => !finding.signed));
  selected = $derived.by(() => {
    const shown = this.shown;
    return shown?.what === 'statement' ? (this.items.find((i) => i.jti === shown.jti) ?? null) : null;
  });

  layers = $state({ ...LAYERS });
  mapPlace = $state.raw<MapPlace | null>(null); // null until somebody moves the map
  probe = $state.raw<[number, number] | null>(null); // the row of evidence under the pointer

  /** Set by the map: where track frames go, and how the page moves it. */
  onFrame: (bytes: ArrayBuffer) => void = () => {};
  goHome: () => void = () => {};
  moveTo: (place: MapPlace) => void = () => {};
  flyTo: (what: Pick<Item, 'footprint'> | Finding) => void = () => {};
  takeStill: () => Promise<Still | null> = () => Promise.resolve(null);

  #live: Live | null = null;
  #viewport: number[] = [];
  #clock = { nowUs: 0, atMs: 0, speed: 1 };
  #seen: Set<string> | null = null;
  #recoveredTimer = 0;

  async start(): Promise<void> {
    this.#goTo(location.hash);
    window.addEventListener('hashchange', () => this.#goTo(location.hash));
    this.#tick(true);
    if (!localStorage.getItem(SIGNED_KEPT)) {
      this.user = null; // nobody has signed in here: no need to ask
      return;
    }
    try {
      this.user = await api.session();
      await this.#enter();
    } catch (failed) {
      this.user = null;
      if (failed instanceof Failure) localStorage.removeItem(SIGNED_KEPT); // that session has ended
      if (failed instanceof Unreachable) this.line = 'down';
    }
  }

  async signIn(user: string, password: string): Promise<void> {
    this.user = await api.signIn(user, password);
    await this.#enter();
    this.sinceUs = Math.round(this.liveUs);
    localStorage.setItem(SIGNED_KEPT, String(this.sinceUs));
  }

  async signOut(): Promise<void> {
    await api.signOut().catch(() => null); // a session that is gone already is signed out too
    this.#leave();
    this.drafts.back('');
    this.ended = false;
  }

  /** The view as the page's address has it; changes with every part of it. */
  get address(): string {
    const { mapPlace: map, tab, filter, search, layers, shown, reader, during, page, audit } = this;
    return toAddress({ map, tab, filter, search, layers, shown, reader, during, page, audit, atUs: this.past.notedUs }, LAYERS);
  }

  #goTo(hash: string): void {
    if (hash === this.address) return; // it is we who wrote it
    const { map, tab, filter, search, layers, shown, during, atUs, reader, page, audit } = fromAddress(hash, LAYERS);
    Object.assign(this, { mapPlace: map, tab, filter, search, shown, during, page, audit });
    Object.assign(this.layers, layers);
    if (map) this.moveTo(map);
    this.#asked = { atUs, reader };
    if (this.user && this.liveUs) this.#lookAsAsked();
  }

  /** The time and the reader of the address: there is an answer only once somebody has signed in. */
  #asked: { atUs: number | null; reader: string | null } = { atUs: null, reader: null };

  #lookAsAsked(): void {
    const { atUs, reader } = this.#asked;
    if (reader !== this.reader) void this.seeAs(reader).catch(() => (this.reader = null));
    if (atUs !== null) this.past.go(atUs);
    else this.past.leave();
  }

  look(viewport: number[]): void {
    this.#viewport = viewport;
    this.#live?.look(viewport);
    this.past.look();
  }

  #backToLive(): void {
    this.#live?.look(this.#viewport); // the next frame at once
    if (this.reader) void this.seeAs(this.reader).catch(() => (this.reader = null));
  }

  toggleZone(): void {
    this.zone = this.zone === 'utc' ? 'local' : 'utc';
    localStorage.setItem(ZONE_KEPT, this.zone);
  }

  open(shown: Shown | null, fly = false): void {
    this.shown = shown;
    if (shown?.what === 'statement') {
      const at = this.matching.findIndex((item) => item.jti === shown.jti);
      if (at >= 0) this.cursor = at;
      const item = this.selected;
      if (this.unread.has(shown.jti)) {
        this.unread = new Set([...this.unread].filter((jti) => jti !== shown.jti));
      }
      if (fly && item) this.flyTo(item);
    } else if (shown?.what === 'finding' && fly) {
      const finding = this.findings.find((f) => f.key === shown.key);
      if (finding) this.flyTo(finding);
    }
  }

  /** A page over the map, or the map again. */
  turn(page: Page): void {
    this.page = this.page === page ? 'map' : page;
    if (this.page === 'audit') this.audit = EVERYTHING;
  }

  /** A statement that a page over the map names: on the map. */
  openOver(jti: string): void {
    this.page = 'map';
    this.open({ what: 'statement', jti }, true);
  }

  /** Show our picture as a partner has it; null: as ours again. */
  async seeAs(reader: string | null): Promise<void> {
    if (reader && !this.past.on) this.liveAs = await this.#acting(() => api.as(reader));
    if (reader !== this.reader && this.shown?.what !== 'craft') this.open(null);
    this.reader = reader;
    this.past.look();
  }

  openAs(jti: string): void {
    this.open({ what: 'as', jti });
    const held = this.as?.held.find((one) => one.jti === jti);
    if (held?.footprint) this.flyTo({ footprint: held.footprint });
  }

  get mayDecide(): boolean {
    return this.user?.role === 'release' || this.user?.role === 'administrator';
  }

  get mayAdminister(): boolean {
    return this.user?.role === 'administrator';
  }

  openCraft(id: CraftId): void {
    this.open({ what: 'craft', id });
  }

  async keepView(name: string): Promise<void> {
    // an empty address is the usual view: it has one too, so that it can be kept
    this.views = await this.#acting(() => api.keepView(name, this.address || '#'));
  }

  async forgetView(name: string): Promise<void> {
    this.views = await this.#acting(() => api.forgetView(name));
  }

  goToView(view: SavedView): void {
    this.viewsOpen = false;
    this.#goTo(view.address);
  }

  /** Answer what is open: a request, by its form; what may go on if asked, by asking; else by a report there. */
  reply(): void {
    const item = this.selected;
    if (!item || !this.mayHandle) return;
    const field = document.querySelector<HTMLElement>('[data-reply]');
    if (field?.matches('button')) field.click();
    else if (field) field.focus();
    else this.open({ what: 'say', at: item.footprint ? middle(item.footprint) : null });
  }

  openMark(mark: Mark): void {
    if (mark.item) this.open({ what: 'statement', jti: mark.item.jti }, true);
    else if (mark.finding) this.open({ what: 'finding', key: mark.finding.key }, true);
  }

  titleOfMark({ item, finding }: Mark): string {
    const detectors = this.picture?.detectors ?? {};
    if (finding) return `${said(detectors[finding.detector]?.title) || finding.detector}: ${aboutWhom(finding)}`;
    return this.titleOf(item!);
  }

  /** A statement's title, or why there is none. */
  titleOf(item: Item): string {
    return titleOf(item, this.picture?.detectors ?? {}, language.now) || t(item.purged ? 'item.purged' : 'item.untitled');
  }

  /** A sheet is of what there is now, as we see it: not of the past, and not of what a partner has. */
  get maySheet(): boolean {
    return !this.past.on && this.reader === null;
  }

  openSheet(): void {
    this.sheet = this.maySheet;
  }

  /** The standing statements about a craft. */
  about(id: CraftId): Item[] {
    const craft = craftText(id);
    return this.items.filter((item) => item.slots['body.craft'] === craft);
  }

  move(by: number): void {
    const last = this.matching.length - 1;
    this.cursor = Math.max(0, Math.min(last, this.cursor + by));
    const item = this.matching[this.cursor];
    if (item && this.shown?.what === 'statement') this.open({ what: 'statement', jti: item.jti }, true);
  }

  openCursor(): void {
    const item = this.matching[this.cursor];
    if (item) this.open({ what: 'statement', jti: item.jti }, true);
  }

  report = (form: ReportForm): Promise<void> => this.#said(() => api.report(form));
  ask = (form: RequestForm): Promise<void> => this.#said(() => api.request(form));
  answer = (form: ConsentForm): Promise<void> => this.#said(() => api.consent(form));

  /** Sign something, and show it. */
  async #said(sign: () => Promise<Item>): Promise<void> {
    const item = await this.#acting(sign);
    this.#seen?.add(item.jti);
    await this.#fetch('statements');
    this.open({ what: 'statement', jti: item.jti });
  }

  async withdraw(jti: string, purge: boolean, why: string): Promise<void> {
    this.#replace(await this.#acting(() => api.withdraw(jti, purge, why)));
    await this.#fetch('statements');
  }

  async handle(jti: string, step: Step, dueUs: number | null = null): Promise<void> {
    this.#replace(await this.#acting(() => api.handle(jti, step, dueUs)));
  }

  async fetchAttachment(jti: string, sha256: string): Promise<void> {
    this.#replace(await this.#acting(() => api.fetchAttachment(jti, sha256)));
  }

  #replace(changed: Item): void {
    this.liveItems = this.liveItems.map((item) => (item.jti === changed.jti ? changed : item));
  }

  get mayHandle(): boolean {
    return !this.past.on && (this.user?.role === 'duty' || this.user?.role === 'release');
  }

  /** Take back what was said, and answer what partners ask: nothing is done in the past. */
  get mayRelease(): boolean {
    return !this.past.on && this.user?.role === 'release';
  }

  /** Acknowledge what is open, or what the cursor is on. */
  acknowledge(): void {
    const item = this.selected ?? this.matching[this.cursor];
    if (item && asks(item) && this.mayHandle) void this.handle(item.jti, 'acknowledge').catch(() => null);
  }

  #matches(item: Item): boolean {
    const { fromUs, toUs } = this.during ?? { fromUs: -Infinity, toUs: Infinity };
    if ((item.received_at_us ?? 0) < fromUs || (item.received_at_us ?? 0) > toUs) return false;
    const words = this.search.toLowerCase().split(/\s+/).filter(Boolean);
    const text = words.length ? haystack(item) : '';
    if (!words.every((word) => text.includes(word))) return false;
    return passes(item, this.filter, this.user?.user);
  }

  async #enter(): Promise<void> {
    this.#live ??= new Live({
      frame: (bytes) => void (this.past.on || this.onFrame(bytes)),
      note: (note) => void this.#note(note),
      up: () => void this.#up(),
      down: (denied) => void this.#down(denied),
    }, this.mapPlace ? null : HOME);
    await this.#live.tried; // the node notes what changes from then on, so that nothing is fetched twice
    const more = Promise.all([api.views().catch(() => []), api.zones().catch(() => null)]); // it works without
    await this.refresh();
    if (!this.user) return; // the session ended while we asked
    this.ended = false;
    const left = this.drafts.back(this.user.user);
    if (left) Object.assign(this, { shown: left.shown, page: left.page });
    [this.views, this.zones] = await more;
    this.#lookAsAsked();
  }

  #leave(): void {
    localStorage.removeItem(SIGNED_KEPT);
    this.#live?.stop();
    this.#live = null;
    this.#seen = null;
    if (this.user) this.drafts.leave({ user: this.user.user, shown: this.shown, page: this.page });
    this.ended ||= !!this.user;
    this.user = null;
    this.picture = null;
    this.reader = this.liveAs = null;
    this.past.leave();
    this.liveItems = this.links = this.liveFindings = this.notices = [];
    this.shown = null;
    this.page = 'map';
    this.audit = EVERYTHING;
    this.sheet = false;
    this.remarks = '';
    this.line = 'new';
    this.unread = new Set();
  }

  /** Fetch everything anew: at sign-in, and after the line was down. */
  async refresh(): Promise<void> {
    await Promise.all(['feeds', 'statements', 'links', 'findings'].map((l) => this.#fetch(l as List)));
  }

  async #fetch(list: List): Promise<void> {
    try {
      if (list === 'feeds') {
        this.picture = await api.picture();
        this.#setClock(this.picture.now_us, this.picture.speed);
      } else if (list === 'statements') {
        const [items, notices] = await Promise.all([api.statements(), api.notices()]);
        this.#take(items);
        this.notices = notices;
      } else if (list === 'zones') this.zones = await api.zones();
      else if (list === 'links') this.links = await api.links();
      else this.liveFindings = await api.findings();
    } catch (failed) {
      if (failed instanceof Failure && failed.status === 401) this.#leave();
      else if (!(failed instanceof Unreachable)) throw failed;
    }
  }

  #take(items: Item[]): void {
    const fresh = items.filter((item) => this.#seen && !this.#seen.has(item.jti) && !item.own);
    this.#seen = new Set(items.map((item) => item.jti));
    if (fresh.length) this.unread = new Set([...this.unread, ...fresh.map((item) => item.jti)]);
    const before = this.matching[this.cursor]?.jti;
    this.liveItems = items;
    const now = this.matching.findIndex((item) => item.jti === before);
    this.cursor = Math.max(0, now); // the cursor stays on its statement when others arrive above it
  }

  async #note(note: Note): Promise<void> {
    this.heardMs = Date.now();
    this.#setClock(note.now_us, note.speed ?? this.#clock.speed);
    if (this.liveAs && note.changed.includes('statements')) {
      this.liveAs = await api.as(this.liveAs.reader).catch(() => this.liveAs);
    }
    const known: List[] = ['statements', 'links', 'findings', 'feeds', 'zones'];
    await Promise.all(known.filter((l) => note.changed.includes(l)).map((l) => this.#fetch(l)));
  }

  async #up(): Promise<void> {
    const was = this.line;
    this.line = 'up';
    this.heardMs = Date.now();
    if (was !== 'down') return;
    await this.refresh();
    this.recovered = true;
    clearTimeout(this.#recoveredTimer);
    this.#recoveredTimer = window.setTimeout(() => (this.recovered = false), 6000);
  }

  async #down(denied: boolean): Promise<void> {
    if (this.line !== 'down') this.downSinceMs = this.heardMs; // as old as what is shown
    this.line = 'down';
    if (denied) await this.#fetch('feeds'); // tells whether it is the session that has ended
  }

  async #acting<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (failed) {
      if (failed instanceof Failure && failed.status === 401) this.#leave();
      throw failed;
    }
  }

  #setClock(nowUs: number, speed: number): void {
    this.#clock = { nowUs, atMs: performance.now(), speed };
    this.#tick();
  }

  /** And `again` as the next second is shown, not more often: what ticks is drawn anew, and drawing is dear. */
  #tick(again = false): void {
    this.wallUs = Date.now() * 1000;
    this.#live?.check();
    const { nowUs, atMs, speed } = this.#clock;
    // While the line is down nothing tells the time: it stands still, as everything else shown.
    if (nowUs && this.line !== 'down') this.liveUs = nowUs + (performance.now() - atMs) * 1000 * speed;
    if (again) setTimeout(() => this.#tick(true), 1000 - ((nowUs / 1000 + performance.now() - atMs) % 1000));
  }
}

export const desk = new Desk();
