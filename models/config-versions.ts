import { Schema } from 'mongoose';
import type { ClientSession, Connection, Model } from 'mongoose';
import { durationMs } from '../domain/duration.ts';
import type { OrderTimers } from '../domain/order-timers.ts';
import { CONFIG_DOCUMENTS } from './config-documents.ts';
import type { ConfigContent, ConfigName } from './config-documents.ts';

export interface ConfigVersion<C = Record<string, unknown>> {
  name: string;
  version: number;
  content: C;
  at: Date;
  by: { kind: string; id: string };
}

const configVersionSchema = new Schema<ConfigVersion>(
  {
    name: { type: String, required: true },
    version: { type: Number, required: true },
    content: { type: Schema.Types.Mixed, required: true },
    at: { type: Date, required: true },
    by: { type: Schema.Types.Mixed, required: true },
  },
  { collection: 'config_versions', versionKey: false, minimize: false },
);
configVersionSchema.index({ name: 1, version: -1 }, { unique: true });

export const configEntity = (name: string): string => `config/${name}`;

const CACHE_MS = 2000;

/** Every version of every configuration document; the newest is in force. */
export class ConfigVersions {
  readonly #model: Model<ConfigVersion>;
  readonly #cache = new Map<ConfigName, { version: Promise<ConfigVersion>; staleAt: number }>();

  constructor(connection: Connection) {
    this.#model =
      (connection.models['ConfigVersion'] as Model<ConfigVersion>) ??
      connection.model<ConfigVersion>('ConfigVersion', configVersionSchema);
  }

  /** At most two seconds old. A document that was never written has its defaults as version 1. */
  async current<N extends ConfigName>(name: N): Promise<ConfigVersion<ConfigContent<N>>> {
    const cached = this.#cache.get(name);
    if (cached && Date.now() < cached.staleAt) return cached.version as Promise<ConfigVersion<ConfigContent<N>>>;
    const version = this.latest(name);
    this.#cache.set(name, { version, staleAt: Date.now() + CACHE_MS });
    version.catch(() => this.#cache.delete(name));
    return version as Promise<ConfigVersion<ConfigContent<N>>>;
  }

  async latest(name: ConfigName, session?: ClientSession): Promise<ConfigVersion> {
    const options = session ? { session } : {};
    const stored = await this.#model.findOne({ name }, null, options).sort({ version: -1 }).lean<ConfigVersion>();
    return complete(name, stored);
  }

  /** The version to write next to `latest`; the unique index refuses the second of two writers. */
  async insert(version: ConfigVersion, session: ClientSession): Promise<void> {
    await this.#model.collection.insertOne({ ...version } as never, { session });
  }

  /** Call after a write has been committed. */
  forget(name: ConfigName): void {
    this.#cache.delete(name);
  }

  /** Newest first; version 1 is there even when nobody has written the document. */
  async versions(name: ConfigName, page: { below?: number | undefined; limit: number }): Promise<ConfigVersion[]> {
    const stored = await this.#model
      .find({ name, ...(page.below === undefined ? {} : { version: { $lt: page.below } }) })
      .sort({ version: -1 })
      .limit(page.limit)
      .lean<ConfigVersion[]>();
    const isLastPage = stored.length < page.limit && stored.at(-1)?.version !== 1 && page.below !== 1;
    return isLastPage ? [...stored, complete(name, null)] : stored;
  }
}

const BEGINNING = new Date(0);

function complete(name: ConfigName, stored: ConfigVersion | null): ConfigVersion {
  const { defaults } = CONFIG_DOCUMENTS[name];
  if (!stored)
    return { name, version: 1, content: { ...defaults }, at: BEGINNING, by: { kind: 'system', id: 'defaults' } };
  return { ...stored, content: { ...defaults, ...stored.content } };
}

/** What an order workflow starts with: the timers in milliseconds and the version that they come from. */
export async function currentTimers(versions: ConfigVersions): Promise<OrderTimers & { version: number }> {
  const { version, content } = await versions.current('timers');
  return {
    version,
    paymentTimeoutMs: durationMs(content.paymentTimeout),
    autoCompleteMs: durationMs(content.autoComplete),
  };
}
