type ReadRevision = (orderId: string) => Promise<number | null>;

interface Wait {
  revision: number;
  end(isReached: boolean): void;
}

/** How long until the record is looked at again: soon when nobody tells us, rarely when the committer is in this process. */
const SOON_MS = [25, 50, 100, 200] as const;
const RARELY_MS = [250, 500] as const;

/**
 * Waits until an order's view has a revision. Told by the committer of this process where there is one; otherwise, and
 * in case a word is lost, the record is looked at.
 */
export class OrderWatch {
  readonly #readRevision: ReadRevision;
  readonly #waits = new Map<string, Set<Wait>>();
  /** Whether the last wait was ended by a word rather than by a look. */
  #isTold = false;

  constructor(readRevision: ReadRevision) {
    this.#readRevision = readRevision;
  }

  notify(orderId: string, revision: number): void {
    for (const wait of this.#waits.get(orderId) ?? []) {
      if (wait.revision > revision) continue;
      this.#isTold = true;
      wait.end(true);
    }
  }

  /** False when the time is over; never rejects. */
  waitFor(orderId: string, revision: number, timeoutMs: number): Promise<boolean> {
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
      lookAfter(0);
    });
  }

  #forget(orderId: string, wait: Wait): void {
    const waits = this.#waits.get(orderId);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(orderId);
  }
}
