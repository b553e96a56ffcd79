/** What is measured: an order of the own shop over REST, or a platform's order over a warehouse's system. */
export type ShapeName = 'own' | 'platform';

export interface ShapeLimits {
  events: number;
  transitions: number;
  /** Of the engine's CPU time, beside that of the bare workflow. */
  cpuRatio: number;
}

/** What an order may cost the engine; these hold on noisy machines, rates do not. */
export const LIMITS: Readonly<Record<ShapeName, ShapeLimits>> = {
  own: { events: 31, transitions: 12, cpuRatio: 1.35 },
  // The order goes along with the hand-over and with what the platform says, sealed.
  platform: { events: 38, transitions: 15, cpuRatio: 1.5 },
};

export const TITLES: Readonly<Record<ShapeName, string>> = {
  own: 'an order of the own shop: paid, 3 lines, 1 parcel, delivered',
  platform: 'a platform’s order: paid, 3 lines, handed over to a warehouse’s system, 1 parcel, told, finished there',
};
