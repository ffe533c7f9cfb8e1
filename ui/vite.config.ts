import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const CARRIED = [
  'maplibre-gl/LICENSE.txt',
  'svelte/LICENSE.md',
  '@uwdata/flechette/LICENSE',
  'mgrs/license.md',
  'milsymbol/LICENSE',
  '@fontsource-variable/ibm-plex-sans/LICENSE',
  'world-atlas/LICENSE',
];

/** The licences of what the page carries, beside it. */
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const parts = CARRIED.map((path) => `${path}\n\n${readFileSync(`node_modules/${path}`, 'utf8')}`);
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: parts.join('\n\n---\n\n') });
  },
};

/** The basemap for other programs, which the page does not read itself. */
const tiles: Plugin = {
  name: 'tiles',
  generateBundle() {
    const source = readFileSync('.generated/baltic.pmtiles');
    this.emitFile({ type: 'asset', fileName: 'map/baltic.pmtiles', source });
  },
};

// SAMSYN_WEB_OUT lets the wheel's build hook choose where the page goes.
export default defineConfig({
  plugins: [svelte(), licences, tiles],
  // its index brings the symbols of land, space and all older editions
  resolve: { alias: { 'milsymbol/parts': `${import.meta.dirname}/node_modules/milsymbol/index.mjs` } },
  build: {
    outDir: process.env.SAMSYN_WEB_OUT ?? '../src/samsyn/interfaces/web',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows no data: fonts, and files cache better
    modulePreload: { polyfill: false }, // the polyfill would need an inline script
    chunkSizeWarningLimit: 1600,
  },
});
