import type { Connection, mongo } from 'mongoose';
import { shopCollection, type ShopRecord } from './shop-records.ts';

/** Credentials that a platform itself has renewed; what people change goes through `ShopStore`. */
export class ShopTokenStore {
  readonly #shops: mongo.Collection<ShopRecord>;

  constructor(connection: Connection) {
    this.#shops = shopCollection(connection);
  }

  /** False when the shop or its credentials have changed since they were read: those are the newer ones. */
  async renew(
    { _id, revision, credentialsSealed }: Pick<ShopRecord, '_id' | 'revision' | 'credentialsSealed'>,
    renewed: Pick<ShopRecord, 'credentialsSealed' | 'credentialsSet'>,
  ): Promise<boolean> {
    const { matchedCount } = await this.#shops.updateOne(
      { _id, revision, credentialsSealed },
      { $set: { credentialsSealed: renewed.credentialsSealed, credentialsSet: renewed.credentialsSet } },
    );
    return matchedCount === 1;
  }
}
