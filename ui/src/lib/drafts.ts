// What somebody is writing. Where the session ends meanwhile, it is kept for the same person: in this page's
// memory alone, so that it is gone with the page.
import type { Shown } from './view';

interface Left {
  user: string;
  shown: Shown | null;
  page: string;
}

export class Drafts {
  #texts = new Map<string, { user: string; text: unknown }>();
  #left: Left | null = null;

  /** who: the user who is signed in now, empty for nobody. */
  constructor(readonly who: () => string) {}

  keep(name: string, text: unknown): void {
    const user = this.who();
    if (user) this.#texts.set(name, { user, text });
  }

  /** Its form has been closed: by whoever wrote it, unless the session has just ended. */
  drop(name: string): void {
    if (!this.#left) this.#texts.delete(name);
  }

  /** Nothing of what another person wrote, however early the form is opened after a change. */
  take<T>(name: string): T | undefined {
    const kept = this.#texts.get(name);
    return kept?.user === this.who() ? (kept.text as T) : undefined;
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
