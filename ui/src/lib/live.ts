// The line to the node: track frames and word of what has changed. It mends itself.

const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const SILENT_MS = 6000; // the node speaks once a second: silence this long is a dead line

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
  #stopped = false;
  #tries = 0;
  #timer = 0;
  #watchdog = 0;
  #viewport: number[] | null = null;

  constructor(readonly listener: Listener) {
    this.#open();
  }

  /** Which part of the world to send tracks of: west, south, east, north. */
  look(viewport: number[]): void {
    this.#viewport = viewport;
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ viewport }));
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#socket?.close();
  }

  #open(): void {
    const address = new URL('/api/live', location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heard(socket);
    socket.onopen = () => {
      this.#tries = 0;
      if (this.#viewport) this.look(this.#viewport);
      this.listener.up();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.#heard(socket);
      if (typeof data === 'string') this.listener.note(JSON.parse(data) as Note);
      else this.listener.frame(data);
    };
    socket.onclose = ({ code }) => {
      if (this.#stopped || socket !== this.#socket) return;
      clearTimeout(this.#watchdog);
      this.listener.down(code === 1008);
      const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)]!;
      this.#timer = window.setTimeout(() => this.#open(), wait);
    };
  }

  #heard(socket: WebSocket): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = window.setTimeout(() => socket.close(), SILENT_MS);
  }
}
