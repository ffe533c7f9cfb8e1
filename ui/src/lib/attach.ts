// Files beside a statement: what is named of one, and reading one that somebody chose.
import { figure } from './format';
import { t } from './text.svelte';

/** What a statement says of a file. */
export interface Named {
  sha256: string;
  name: string;
  type: string;
  size: number;
}

/** One that a statement names. here: its bytes are in this node. */
export interface Attachment extends Named {
  slot: string;
  here: boolean;
}

export const MOST = 4;
const MOST_BYTES = 10 * 1024 * 1024;
const DRAWN = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const KIB = 1024;

/** Whether a browser may draw it; the node gives all else as bytes without a type. */
export const isPicture = (file: Named): boolean => DRAWN.includes(file.type);

export function sizeOf({ size }: Named): string {
  return size < KIB * KIB ? `${figure(Math.ceil(size / KIB))} KiB` : `${(size / KIB / KIB).toFixed(1)} MiB`;
}

/** A chosen file as a statement names it, and what is wrong with it; empty where nothing is. */
export async function read(file: File): Promise<{ named: Named; wrong: string }> {
  const type = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/.test(file.type) ? file.type : 'application/octet-stream';
  const named = { sha256: '', name: file.name.replace(/^\./, '_'), type, size: file.size };
  if (!file.size) return { named, wrong: t('attach.empty', { name: file.name }) };
  if (file.size > MOST_BYTES) return { named, wrong: t('attach.large', { name: file.name }) };
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  named.sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { named, wrong: '' };
}
