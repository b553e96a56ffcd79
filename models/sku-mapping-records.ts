import { Schema } from 'mongoose';
import type { ClientSession, Connection, mongo } from 'mongoose';

/** A platform's name for goods of one shop, and our SKU. */
export interface SkuMappingRecord {
  /** `<shopId>/<platformSku>` */
  _id: string;
  shopId: string;
  platformSku: string;
  skuCode: string;
  revision: number;
  updatedAt: Date;
}

const skuMappingSchema = new Schema(
  { _id: String },
  { strict: false, collection: 'sku_mappings', minimize: false, versionKey: false },
);
skuMappingSchema.index({ shopId: 1, platformSku: 1 });

const skuMappingCollection = (connection: Connection): mongo.Collection<SkuMappingRecord> =>
  (connection.models['SkuMapping'] ?? connection.model('SkuMapping', skuMappingSchema))
    .collection as unknown as mongo.Collection<SkuMappingRecord>;

export const skuMappingId = (shopId: string, platformSku: string): string => `${shopId}/${platformSku}`;
export const skuMappingEntity = (shopId: string, platformSku: string): string =>
  `sku-mapping/${skuMappingId(shopId, platformSku)}`;

export class SkuMappingStore {
  readonly #mappings: mongo.Collection<SkuMappingRecord>;

  constructor(connection: Connection) {
    this.#mappings = skuMappingCollection(connection);
  }

  async find(shopId: string, platformSku: string, session?: ClientSession): Promise<SkuMappingRecord | null> {
    return this.#mappings.findOne({ _id: skuMappingId(shopId, platformSku) }, session ? { session } : {});
  }

  /** SKU codes by platform SKU; what is not mapped is absent. */
  async skuCodesOf(shopId: string, platformSkus: readonly string[]): Promise<Map<string, string>> {
    const ids = [...new Set(platformSkus)].map((platformSku) => skuMappingId(shopId, platformSku));
    if (ids.length === 0) return new Map();
    const filter = ids.length === 1 && ids[0] !== undefined ? { _id: ids[0] } : { _id: { $in: ids } };
    const found = await this.#mappings.find(filter).toArray();
    return new Map(found.map(({ platformSku, skuCode }) => [platformSku, skuCode]));
  }

  async list(page: { shopId: string; after?: string | undefined; limit: number }): Promise<SkuMappingRecord[]> {
    const { shopId, after, limit } = page;
    return this.#mappings
      .find({ shopId, ...(after === undefined ? {} : { platformSku: { $gt: after } }) })
      .sort({ shopId: 1, platformSku: 1 })
      .limit(limit)
      .toArray();
  }

  /** Writes over what was read with `revision` (0 = it was not there); false when somebody else was faster. */
  async write(record: SkuMappingRecord, revision: number, session: ClientSession): Promise<boolean> {
    const { _id, ...fields } = record;
    if (revision === 0) {
      await this.#mappings.insertOne(record, { session });
      return true;
    }
    const { matchedCount } = await this.#mappings.updateOne({ _id, revision }, { $set: fields }, { session });
    return matchedCount === 1;
  }
}
