// What somebody is writing. Where the session ends meanwhile, it is kept for the same person: in this page's
// memory alone, so that it is gone with the page.
import type { Shown } from './view';

interface Left {
  user: string;
  shown: Shown | null;
  page: string;
}

export class Drafts {
  #texts = new Map<string, unknown>();
  #left: Left | null = null;

  keep(name: string, text: unknown): void {
    this.#texts.set(name, text);
  }

  /** Its form has been closed: by whoever wrote it, unless the session has just ended. */
  drop(name: string): void {
    if (!this.#left) this.#texts.delete(name);
  }

  take<T>(name: string): T | undefined {
    return this.#texts.get(name) as T | undefined;
  }

  /** The session has ended while this was open. */
  leave(left: Left): void {
    this.#left = left;
  }

  /** Somebody signs in: what that person left; what another one wrote is forgotten. */
  back(user: string): Left | null {
    const left = this.#left?.user === user ? this.#left : null;
    if (!left) this.#texts.clear();
    this.#left = null;
    return left;
  }
}
