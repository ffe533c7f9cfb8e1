import '@fontsource-variable/ibm-plex-sans/wght.css';
import './app.css';
import './shared.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { desk } from './lib/desk.svelte';

void desk.start();
mount(App, { target: document.getElementById('page')! });
