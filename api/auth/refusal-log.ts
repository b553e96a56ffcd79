import type { AuditActor, AuditFrom, AuditLog } from '../../models/audit-log.ts';
import type { Logger } from '../../runtime/logger.ts';

const PER_ACTOR = 60;
const IN_ALL = 600;
const WINDOW_MS = 60_000;

/**
 * Writes refused attempts to the audit, under the entity of who tried. A flood is bounded: beyond sixty a minute of one
 * actor, six hundred of all, attempts are counted, and the next entry says how many were left out.
 */
export class RefusalLog {
  readonly #audit: AuditLog;
  readonly #logger: Logger;
  readonly #counts = new Map<string, number>();
  readonly #leftOut = new Map<string, number>();
  #total = 0;
  #windowEndsAt = 0;

  constructor(audit: AuditLog, logger: Logger) {
    this.#audit = audit;
    this.#logger = logger;
  }

  /** Never throws: that a refusal could not be written must not change what the caller is told. */
  async record(
    actor: AuditActor,
    from: AuditFrom,
    action: string,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const entity = `${actor.kind === 'service' ? 'api-key' : actor.kind}/${actor.id.toLowerCase()}`;
    if (!this.#take(entity)) return;
    const leftOut = this.#leftOut.get(entity);
    this.#leftOut.delete(entity);
    const more = leftOut === undefined ? {} : { leftOut };
    try {
      await this.#audit.append({ entity, at: new Date(), actor, from, action, detail: { ...detail, ...more } });
    } catch (error) {
      this.#logger.error('A refused attempt could not be audited', { action, entity, error });
    }
  }

  #take(entity: string): boolean {
    const now = Date.now();
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + WINDOW_MS;
      this.#total = 0;
      this.#counts.clear();
      // Who was left out stays on record until an entry names it, but not without bound.
      if (this.#leftOut.size > 10_000) this.#leftOut.clear();
    }
    const count = (this.#counts.get(entity) ?? 0) + 1;
    if (count > PER_ACTOR || this.#total >= IN_ALL) {
      this.#leftOut.set(entity, (this.#leftOut.get(entity) ?? 0) + 1);
      return false;
    }
    this.#counts.set(entity, count);
    this.#total += 1;
    return true;
  }
}
