// The parts of milsymbol that the page carries; vite.config.ts says where they are.
declare module 'milsymbol/parts' {
  interface Symbol {
    asCanvas(factor?: number): HTMLCanvasElement;
    getOctagonAnchor(): { x: number; y: number };
    getSize(): { width: number; height: number };
  }
  export const ms: {
    Symbol: new (code: string, options: { size: number; outlineWidth: number; outlineColor: string; infoColor: string; colorMode: string }) => Symbol;
    addIcons(icons: unknown[]): void;
  };
  export const numberair: unknown;
  export const numbersea: unknown;
}
