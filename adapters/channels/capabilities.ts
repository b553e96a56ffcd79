import type { Channel } from '../../domain/order-model.ts';

/** What a channel can do and within which bounds; code asks this table, never the channel's name. */
export interface ChannelCapabilities {
  /** Longest window of changed orders that the platform takes. */
  maxWindowMs: number;
  /** Windows as the platform advises them; longer ones only where one must. */
  windowMs: number;
  /** How far behind now the end of a window must stay. */
  lagMs: number;
  /** How messages come: asked for, pushed over HTTP, or not at all. */
  messages: 'pull' | 'push' | 'none';
  tellsParcels: boolean;
  /** Whether several parcels of an order can be told apart. */
  tellsPartialParcels: boolean;
  memo: boolean;
  refreshesToken: boolean;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const TAOBAO: ChannelCapabilities = {
  maxWindowMs: DAY_MS,
  windowMs: 30 * MINUTE_MS,
  lagMs: 0,
  messages: 'pull',
  tellsParcels: true,
  tellsPartialParcels: true,
  memo: true,
  refreshesToken: true,
};

/** Channels that orders are collected from; those of the own shop are posted. */
export const CAPABILITIES: Readonly<Partial<Record<Channel, ChannelCapabilities>>> = {
  taobao: TAOBAO,
  tmall: TAOBAO,
};
