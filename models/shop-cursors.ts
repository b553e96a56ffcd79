import { Schema } from 'mongoose';
import type { Connection, mongo } from 'mongoose';

/** How far a shop's orders are collected, and how it goes. */
export interface ShopCursor {
  /** The shop's id. */
  _id: string;
  shopId: string;
  /** Everything that changed before it is collected; null before the first poll. */
  watermark: Date | null;
  lastPollAt: Date | null;
  lastSuccessAt: Date | null;
  consecutiveFailures: number;
  /** Of the first of the present failures. */
  failingSince: Date | null;
  /** Kind and text of the last failure, nothing personal, no secrets; null when the last poll went well. */
  lastError: string | null;
  tokenExpiresAt: Date | null;
  /** Since when the platform takes no token of the shop's and none can be had; cleared by new credentials. */
  tokenDeadSince: Date | null;
  /** Revision of the shop whose token is dead. */
  tokenDeadRevision: number | null;
  pausedAt: Date | null;
  /** When somebody was alerted of the present failures. */
  alertedAt?: Date | null;
  /** The poll that failed last, so that its failure counts once. */
  lastFailedPoll?: string;
  /** Until when one process alone may renew the token. */
  refreshingUntil?: Date | null;
}

const cursorSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'cursors', minimize: false, versionKey: false },
);

export const cursorCollection = (connection: Connection): mongo.Collection<ShopCursor> =>
  (connection.models['Cursor'] ?? connection.model('Cursor', cursorSchema))
    .collection as unknown as mongo.Collection<ShopCursor>;
