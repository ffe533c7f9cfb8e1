// Our own labels: towns, islands and seas by their local names. Rank 1 shows from far, 3 only near.
import type { Feature, FeatureCollection, Point } from 'geojson';

type Row = [name: string, lat: number, lon: number, rank: 1 | 2 | 3];

const TOWNS: Row[] = [
  ['Stockholm', 59.33, 18.07, 1], ['Helsinki', 60.17, 24.94, 1], ['Tallinn', 59.44, 24.75, 1],
  ['Rīga', 56.95, 24.1, 1], ['Vilnius', 54.69, 25.28, 1], ['Warszawa', 52.23, 21.01, 1],
  ['København', 55.68, 12.57, 1], ['Oslo', 59.91, 10.75, 1], ['Berlin', 52.52, 13.4, 1],
  ['Sankt-Peterburg', 59.94, 30.31, 1], ['Gdańsk', 54.35, 18.65, 1], ['London', 51.51, -0.13, 1],
  ['Göteborg', 57.71, 11.97, 2], ['Turku', 60.45, 22.27, 2], ['Klaipėda', 55.71, 21.13, 2],
  ['Sundsvall', 62.39, 17.31, 2], ['Luleå', 65.58, 22.15, 2], ['Kaliningrad', 54.71, 20.51, 2],
  ['Hamburg', 53.55, 9.99, 2], ['Rostock', 54.09, 12.1, 2], ['Malmö', 55.6, 13.0, 2],
  ['Bergen', 60.39, 5.32, 2], ['Trondheim', 63.43, 10.39, 2], ['Tromsø', 69.65, 18.96, 2],
  ['Kiruna', 67.86, 20.23, 2], ['Vaasa', 63.1, 21.62, 2], ['Oulu', 65.01, 25.47, 2],
  ['Narva', 59.38, 28.19, 2], ['Ventspils', 57.39, 21.56, 2], ['Liepāja', 56.51, 21.01, 2],
  ['Szczecin', 53.43, 14.55, 2], ['Gdynia', 54.52, 18.54, 3], ['Karlskrona', 56.16, 15.59, 2],
  ['Aarhus', 56.16, 10.2, 2], ['Esbjerg', 55.47, 8.45, 2], ['Kiel', 54.32, 10.14, 2],
  ['Murmansk', 68.97, 33.08, 2], ['Bodø', 67.28, 14.4, 2], ['Stavanger', 58.97, 5.73, 2],
  ['Visby', 57.64, 18.3, 2], ['Mariehamn', 60.1, 19.94, 2], ['Rønne', 55.1, 14.7, 3],
  ['Umeå', 63.83, 20.26, 2], ['Gävle', 60.67, 17.14, 3], ['Norrköping', 58.59, 16.18, 3],
  ['Kalmar', 56.66, 16.36, 3], ['Trelleborg', 55.38, 13.16, 3], ['Ystad', 55.43, 13.82, 3],
  ['Helsingborg', 56.05, 12.69, 3], ['Kotka', 60.47, 26.95, 3], ['Hanko', 59.82, 22.97, 3],
  ['Pori', 61.49, 21.8, 3], ['Kemi', 65.73, 24.56, 3], ['Pärnu', 58.39, 24.5, 3],
  ['Paldiski', 59.35, 24.05, 3], ['Nynäshamn', 58.9, 17.95, 3], ['Sassnitz', 54.52, 13.64, 3],
  ['Świnoujście', 53.91, 14.25, 3], ['Skagen', 57.72, 10.58, 3], ['Aalborg', 57.05, 9.92, 3],
  ['Odense', 55.4, 10.39, 3], ['Hel', 54.61, 18.8, 3], ['Baltiysk', 54.65, 19.91, 3],
  ['Kuressaare', 58.25, 22.49, 3], ['Ust-Luga', 59.68, 28.3, 3], ['Primorsk', 60.36, 28.61, 3],
];

const ISLANDS: Row[] = [
  ['Gotland', 57.4, 18.45, 2], ['Öland', 56.75, 16.65, 3], ['Bornholm', 55.13, 14.92, 2],
  ['Åland', 60.25, 20.0, 2], ['Saaremaa', 58.4, 22.5, 3], ['Hiiumaa', 58.9, 22.6, 3],
  ['Rügen', 54.42, 13.42, 3], ['Fårö', 57.93, 19.15, 3],
];

type Sea = [en: string, sv: string, lat: number, lon: number, rank: 1 | 2 | 3];

const SEAS: Sea[] = [
  ['Baltic Sea', 'Östersjön', 56.35, 18.9, 1], ['Gulf of Finland', 'Finska viken', 59.85, 26.2, 1],
  ['Gulf of Bothnia', 'Bottniska viken', 62.6, 19.6, 1], ['Bothnian Bay', 'Bottenviken', 64.6, 23.0, 2],
  ['Sea of Åland', 'Ålands hav', 60.1, 19.1, 3], ['Archipelago Sea', 'Skärgårdshavet', 60.0, 21.4, 3],
  ['Gulf of Riga', 'Rigabukten', 57.75, 23.5, 2], ['Kattegat', 'Kattegatt', 56.8, 11.5, 2],
  ['Skagerrak', 'Skagerrak', 58.0, 9.3, 2], ['North Sea', 'Nordsjön', 56.4, 4.0, 1],
  ['Norwegian Sea', 'Norska havet', 66.5, 5.0, 1], ['Barents Sea', 'Barents hav', 72.3, 36.0, 1],
  ['The Sound', 'Öresund', 55.87, 12.78, 3], ['Great Belt', 'Stora Bält', 55.35, 11.0, 3],
  ['Gdańsk Bay', 'Gdańskbukten', 54.75, 19.2, 3], ['Hanö Bay', 'Hanöbukten', 55.75, 14.75, 3],
  ['Bay of Kiel', 'Kielbukten', 54.55, 10.4, 3]
];

/** From which zoom a rank is shown. */
export const RANK_ZOOM = { 1: 3, 2: 5, 3: 6.8 } as const;

function feature(name: string, lat: number, lon: number, rank: 1 | 2 | 3, sort: string): Feature<Point> {
  return {
    type: 'Feature',
    properties: { name, rank, sort },
    geometry: { type: 'Point', coordinates: [lon, lat] },
  };
}

/** All labels in the language of the page; towns and islands keep their own names. */
export function places(lang: 'en' | 'sv'): FeatureCollection<Point> {
  return {
    type: 'FeatureCollection',
    features: [
      ...TOWNS.map(([name, lat, lon, rank]) => feature(name, lat, lon, rank, 'town')),
      ...ISLANDS.map(([name, lat, lon, rank]) => feature(name, lat, lon, rank, 'island')),
      ...SEAS.map(([en, sv, lat, lon, rank]) => feature(lang === 'sv' ? sv : en, lat, lon, rank, 'sea')),
    ],
  };
}
