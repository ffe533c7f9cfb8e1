// The line to the node: track frames and word of what has changed. It mends itself.

const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const SILENT_MS = 6000; // the node speaks once a second: silence this long is a dead line
const PATIENT_MS = 60_000; // a slow line brings a large frame only after a while: wait longer each time

export interface Note {
  now_us: number;
  speed?: number;
  changed: string[];
}

export interface Listener {
  frame(bytes: ArrayBuffer): void;
  note(note: Note): void;
  up(): void;
  /** The line is down; `denied` when the node closed it because the session has ended. */
  down(denied: boolean): void;
}

export class Live {
  #socket: WebSocket | null = null;
  #tries = 0;
  #timer = 0;
  #heardMs = 0; // by the clock on the wall, which a sleeping machine's own clock falls behind
  #noteMs = 0;
  #patienceMs = SILENT_MS;
  #doubted = false;
  #settle: () => void = () => {};
  /** Done once the line stands, or cannot be had at first: what is fetched later is no older than its first note. */
  readonly tried = new Promise<void>((done) => (this.#settle = done));

  #viewport: number[] | null;

  /** `viewport`: where the page will look first, if that is known; else it is sent the whole world once. */
  constructor(readonly listener: Listener, viewport: number[] | null) {
    this.#viewport = viewport;
    this.#open();
  }

  /** Which part of the world to send tracks of: west, south, east, north. */
  look(viewport: number[]): void {
    this.#viewport = viewport;
    this.#say({ viewport });
  }

  /** To be asked now and then: gives up a line that has been silent for too long, as after a sleep. */
  check(): void {
    if (!this.#socket || Date.now() - this.#heardMs < this.#patienceMs) return;
    // a page that was busy itself, or asleep, has yet to read what has come
    if (!this.#doubted) return void (this.#doubted = true);
    const opened = this.#socket.readyState === WebSocket.OPEN;
    this.#patienceMs = opened ? Math.min(this.#patienceMs * 2, PATIENT_MS) : SILENT_MS;
    this.#lost(1006);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#drop();
    this.#settle();
  }

  #open(): void {
    const address = new URL('/api/live', location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    if (this.#viewport) address.searchParams.set('told', JSON.stringify({ viewport: this.#viewport }));
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heardMs = Date.now();
    this.#doubted = false;
    socket.onopen = () => {
      this.#settle();
      this.#say({ got: true }); // so that the node counts from the first frame on
      if (this.#viewport) this.look(this.#viewport);
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.#heardMs = Date.now();
      this.#doubted = false;
      if (typeof data !== 'string') return this.listener.frame(data);
      if (this.#heardMs - this.#noteMs < SILENT_MS) this.#patienceMs = SILENT_MS;
      this.#noteMs = this.#heardMs;
      if (this.#tries >= 0) this.listener.up(); // heard, not only reached
      this.#tries = -1;
      this.#say({ got: true });
      this.listener.note(JSON.parse(data) as Note);
    };
    socket.onclose = ({ code }) => this.#lost(code);
  }

  #say(what: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(what));
  }

  #lost(code: number): void {
    this.#drop();
    this.#settle();
    this.#tries = Math.max(this.#tries, 0);
    this.listener.down(code === 1008);
    const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)]!;
    this.#timer = window.setTimeout(() => this.#open(), wait);
  }

  /** Away with the socket at once: to close one whose other end is gone may take minutes. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
