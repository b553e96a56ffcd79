import type { OrderFields } from './step-committer.ts';

type ReadRevision = (orderId: string) => Promise<number | null>;

interface Wait {
  revision: number;
  end(isReached: boolean): void;
}

/** As old as a user's rights may be in a cache. */
const RECENT_MS = 2000;
/** Orders whose newest view is kept for whoever has just changed them. */
const MOST_SHOWN = 500;

/** How long until the record is looked at again: soon when nobody tells us, rarely when the committer is in this process. */
const SOON_MS = [25, 50, 100, 200] as const;
const RARELY_MS = [1000] as const;

/**
 * Waits until an order's view has a revision. Told by the committer of this process where there is one; otherwise, and
 * in case a word is lost, the record is looked at.
 */
export class OrderWatch {
  readonly #readRevision: ReadRevision;
  readonly #waits = new Map<string, Set<Wait>>();
  readonly #shown = new Map<string, { fields: OrderFields; at: number }>();
  /** Whether the last wait was ended by a word rather than by a look. */
  #isTold = false;

  constructor(readRevision: ReadRevision) {
    this.#readRevision = readRevision;
  }

  notify(orderId: string, revision: number, fields?: OrderFields): void {
    if (fields) this.#show(orderId, fields);
    for (const wait of this.#waits.get(orderId) ?? []) {
      if (wait.revision > revision) continue;
      this.#isTold = true;
      wait.end(true);
    }
  }

  /** False when the time is over, or nobody waits any more; never rejects. */
  waitFor(orderId: string, revision: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const startedAt = Date.now();
      let timer: NodeJS.Timeout | undefined;
      const wait: Wait = {
        revision,
        end: (isReached) => {
          clearTimeout(timer);
          this.#forget(orderId, wait);
          resolve(isReached);
        },
      };
      const lookAfter = (looks: number) => {
        const leftMs = startedAt + timeoutMs - Date.now();
        if (leftMs <= 0) return wait.end(false);
        const pauses = this.#isTold ? RARELY_MS : SOON_MS;
        timer = setTimeout(() => void look(looks), Math.min(pauses[looks] ?? pauses.at(-1) ?? 0, leftMs));
      };
      const look = async (looks: number) => {
        const found = await this.#readRevision(orderId).catch(() => null);
        if (!this.#waits.get(orderId)?.has(wait)) return;
        if (found === null || found < revision) return lookAfter(looks + 1);
        this.#isTold = false;
        wait.end(true);
      };
      this.#waits.set(orderId, (this.#waits.get(orderId) ?? new Set()).add(wait));
      signal?.addEventListener('abort', () => wait.end(false), { once: true });
      lookAfter(0);
    });
  }

  /** The view at or after a revision, if it was written by this process a moment ago: it need not be read back. */
  shown(orderId: string, revision: number): OrderFields | undefined {
    const fields = this.#shown.get(orderId)?.fields;
    return fields && fields.revision >= revision ? fields : undefined;
  }

  /** What this process has written of an order within the last moments; another process may have gone on since. */
  recent(orderId: string): OrderFields | undefined {
    const shown = this.#shown.get(orderId);
    return shown && Date.now() - shown.at < RECENT_MS ? shown.fields : undefined;
  }

  #show(orderId: string, fields: OrderFields): void {
    const known = this.#shown.get(orderId);
    if (known && known.fields.revision > fields.revision) return;
    this.#shown.delete(orderId);
    this.#shown.set(orderId, { fields, at: Date.now() });
    const [oldest] = this.#shown.keys();
    if (this.#shown.size > MOST_SHOWN && oldest !== undefined) this.#shown.delete(oldest);
  }

  #forget(orderId: string, wait: Wait): void {
    const waits = this.#waits.get(orderId);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(orderId);
  }
}
