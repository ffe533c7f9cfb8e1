import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// SAMSYN_WEB_OUT lets the wheel's build hook choose where the page goes.
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: process.env.SAMSYN_WEB_OUT ?? '../src/samsyn/interfaces/web',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows no data: fonts, and files cache better
    modulePreload: { polyfill: false }, // the polyfill would need an inline script
    chunkSizeWarningLimit: 1600,
  },
});
