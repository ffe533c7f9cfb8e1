// Which states are well, want a look, or are bad. Shapes differ too: never colour alone.
import type { Feed, Link } from './types';

export const LINK_TONE: Record<Link['state'], string> = { up: 'good', waiting: 'warn', refused: 'bad', down: 'bad' };
export const FEED_TONE: Record<Feed['state'], string> = {
  live: 'good', ended: '', waiting: '', silent: 'warn', failed: 'bad',
};
