// The map's colours for three lights; the rest of the page has them in app.css.
import type { Palette } from '../lib/sight.svelte';

type Rgb = readonly [number, number, number]; // 0 to 1, as a shader wants them

export interface Colours {
  water: string;
  land: string;
  coast: string;
  border: string;
  graticule: string;
  halo: string; // behind words
  seaName: string;
  islandName: string;
  townName: string;
  cityName: string;
  zone: string;
  zoneName: string;
  open: string;
  closed: string;
  withdrawn: string;
  said: string;
  chosen: string; // what is looked at, and its evidence
  cell: string; // counts by cell
  cellName: string;
  trail: string; // where the craft looked at came from
  sea: Rgb;
  air: Rgb;
  distress: Rgb;
  ground: Rgb; // around each mark, so that it stands out
}

const rgb = (hex: string): Rgb =>
  [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Rgb;

export const COLOURS: Record<Palette, Colours> = {
  night: {
    water: '#08141d', land: '#17232b', coast: '#3a5566', border: '#3d4f5b', graticule: '#1d3341', halo: '#08131b',
    seaName: '#3f6880', islandName: '#7e929e', townName: '#8b9da8', cityName: '#b4c4ce',
    zone: '#7f8cff', zoneName: '#9aa4ff',
    open: '#ff7d5c', closed: '#8299a8', withdrawn: '#5d7180', said: '#8fb8ff', chosen: '#ffffff', trail: '#8fe3a9', cell: '#d97bff', cellName: '#eec4ff',
    sea: rgb('#63cce0'), air: rgb('#f7d687'), distress: rgb('#ff5454'), ground: rgb('#050d14'),
  },
  dusk: {
    water: '#22303b', land: '#3a4851', coast: '#6c8798', border: '#73858f', graticule: '#344855', halo: '#1c2831',
    seaName: '#7a9db3', islandName: '#b0c0ca', townName: '#b6c5cf', cityName: '#dbe6ec',
    zone: '#a5afff', zoneName: '#c3caff',
    open: '#ff9a7f', closed: '#a7bac6', withdrawn: '#8b9eaa', said: '#b0ccff', chosen: '#ffffff', trail: '#a5efbc', cell: '#e19bff', cellName: '#f4d9ff',
    sea: rgb('#7fe0f2'), air: rgb('#ffe3a3'), distress: rgb('#ff7070'), ground: rgb('#141d25'),
  },
  day: {
    water: '#cfdfe8', land: '#f1f2ec', coast: '#8296a2', border: '#9aa7ae', graticule: '#b9ccd7', halo: '#f4f7f8',
    seaName: '#557d94', islandName: '#5b6a72', townName: '#4b5b64', cityName: '#22323b',
    zone: '#3a48c8', zoneName: '#2c38a8',
    open: '#c2360f', closed: '#4d6371', withdrawn: '#70848f', said: '#2552a3', chosen: '#10202b', trail: '#12703d', cell: '#8a1fb8', cellName: '#5b0f7c',
    sea: rgb('#00627a'), air: rgb('#8a5200'), distress: rgb('#c8102e'), ground: rgb('#f8fafb'),
  },
};
