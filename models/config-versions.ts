import { Schema } from 'mongoose';
import type { ClientSession, Connection, Model } from 'mongoose';

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

/** Every version of every configuration document; the newest is in force. `M` maps names to contents. */
export class ConfigVersions<M extends { [N in keyof M]: object }> {
  readonly #model: Model<ConfigVersion>;
  readonly #defaults: M;
  readonly #cache = new Map<keyof M, { version: Promise<ConfigVersion>; staleAt: number }>();

  /** `defaults`: version 1 of each document, there although nobody wrote it. */
  constructor(connection: Connection, defaults: M) {
    this.#defaults = defaults;
    this.#model =
      (connection.models['ConfigVersion'] as Model<ConfigVersion>) ??
      connection.model<ConfigVersion>('ConfigVersion', configVersionSchema);
  }

  /** At most two seconds old. */
  async current<N extends keyof M & string>(name: N): Promise<ConfigVersion<M[N]>> {
    const cached = this.#cache.get(name);
    if (cached && Date.now() < cached.staleAt) return cached.version as Promise<ConfigVersion<M[N]>>;
    const version = this.latest(name);
    this.#cache.set(name, { version, staleAt: Date.now() + CACHE_MS });
    version.catch(() => this.#cache.delete(name));
    return version as Promise<ConfigVersion<M[N]>>;
  }

  async latest(name: keyof M & string, session?: ClientSession): Promise<ConfigVersion> {
    const options = session ? { session } : {};
    const stored = await this.#model.findOne({ name }, null, options).sort({ version: -1 }).lean<ConfigVersion>();
    return this.#complete(name, stored);
  }

  /** The version to write next to `latest`; the unique index refuses the second of two writers. */
  async insert(version: ConfigVersion, session: ClientSession): Promise<void> {
    await this.#model.collection.insertOne({ ...version }, { session });
  }

  /** Call after a write has been committed. */
  forget(name: keyof M): void {
    this.#cache.delete(name);
  }

  /** Newest first. */
  async versions(
    name: keyof M & string,
    page: { below?: number | undefined; limit: number },
  ): Promise<ConfigVersion[]> {
    const stored = await this.#model
      .find({ name, ...(page.below === undefined ? {} : { version: { $lt: page.below } }) })
      .sort({ version: -1 })
      .limit(page.limit)
      .lean<ConfigVersion[]>();
    const isLastPage = stored.length < page.limit && stored.at(-1)?.version !== 1 && page.below !== 1;
    return isLastPage ? [...stored, this.#complete(name, null)] : stored;
  }

  #complete(name: keyof M & string, stored: ConfigVersion | null): ConfigVersion {
    const defaults = this.#defaults[name] as Record<string, unknown>;
    if (stored) return { ...stored, content: { ...defaults, ...stored.content } };
    return { name, version: 1, content: { ...defaults }, at: BEGINNING, by: { kind: 'system', id: 'defaults' } };
  }
}

const BEGINNING = new Date(0);
