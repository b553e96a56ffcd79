import { Schema } from 'mongoose';
import type { ClientSession, Connection, mongo } from 'mongoose';
import type { Channel } from '../domain/order-model.ts';

export interface ShopPolling {
  enabled: boolean;
  everySec: number;
  overlapSec: number;
}

/** One account on a channel. Its secrets are only here, sealed with the context `shop/<shopId>`. */
export interface ShopRecord {
  /** The shop's id. */
  _id: string;
  /** The same again: scopes are filters on it, as in every other collection. */
  shopId: string;
  channel: Channel;
  name: string;
  currency: string;
  /** Origin that stands for the platform; null: the real one. */
  baseUrl: string | null;
  /** Sealed JSON of the channel's credentials. */
  credentialsSealed: string;
  /** The same as people gave them last; the platform may have renewed its token since. Absent in older records. */
  credentialsGivenSealed?: string;
  /** Names of the credentials that have a value. */
  credentialsSet: string[];
  polling: ShopPolling;
  /** Ids of payment accounts by channel of payment. */
  paymentChannels: Record<string, string>;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

const shopSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'shops', minimize: false, versionKey: false },
);

export const shopCollection = (connection: Connection): mongo.Collection<ShopRecord> =>
  (connection.models['Shop'] ?? connection.model('Shop', shopSchema))
    .collection as unknown as mongo.Collection<ShopRecord>;

export const shopEntity = (shopId: string): string => `shop/${shopId}`;

export class ShopStore {
  readonly #shops: mongo.Collection<ShopRecord>;

  constructor(connection: Connection) {
    this.#shops = shopCollection(connection);
  }

  async byId(shopId: string, session?: ClientSession): Promise<ShopRecord | null> {
    return this.#shops.findOne({ _id: shopId }, session ? { session } : {});
  }

  /** By id; `scope` is the caller's. */
  async list(page: {
    scope: Record<string, unknown>;
    after?: string | undefined;
    limit: number;
  }): Promise<ShopRecord[]> {
    const { scope, after, limit } = page;
    const conditions = [...(after === undefined ? [] : [{ _id: { $gt: after } }]), ...(isEmpty(scope) ? [] : [scope])];
    return this.#shops
      .find(conditions.length > 0 ? { $and: conditions } : {})
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
  }

  /** Writes what was read with `revision` (0 = it was not there); false when somebody else was faster. */
  async write(record: ShopRecord, revision: number, session: ClientSession): Promise<boolean> {
    const { _id, ...fields } = record;
    if (revision === 0) {
      await this.#shops.insertOne(record, { session });
      return true;
    }
    const { matchedCount } = await this.#shops.updateOne({ _id, revision }, { $set: fields }, { session });
    return matchedCount === 1;
  }
}

const isEmpty = (filter: Record<string, unknown>): boolean => Object.keys(filter).length === 0;
