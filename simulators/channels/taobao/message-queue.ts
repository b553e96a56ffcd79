/** A message that waits until its reader has confirmed it. */
export interface Message {
  id: string;
  topic: string;
  /** JSON text with ids as bare numbers. */
  content: string;
  seller: string;
  at: number;
}

const MOST_WAITING = 200_000;

/** Messages of all sellers, oldest first; nobody's queue grows beyond bounds for want of a reader. */
export class MessageQueue {
  readonly #waiting = new Map<string, Message>();

  get size(): number {
    return this.#waiting.size;
  }

  all(): Iterable<Message> {
    return this.#waiting.values();
  }

  push(message: Message): void {
    this.#waiting.set(message.id, message);
    if (this.#waiting.size > MOST_WAITING) {
      const [oldest] = this.#waiting.keys();
      if (oldest !== undefined) this.#waiting.delete(oldest);
    }
  }

  /** The same again until confirmed. */
  waiting(sellers: ReadonlySet<string>, most: number): Message[] {
    const found: Message[] = [];
    for (const message of this.#waiting.values()) {
      if (found.length >= most) break;
      if (sellers.has(message.seller)) found.push(message);
    }
    return found;
  }

  /** Those of the ids that wait, and for one of these sellers. */
  known(ids: readonly string[], sellers: ReadonlySet<string>): string[] {
    return ids.filter((id) => sellers.has(this.#waiting.get(id)?.seller ?? ''));
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) this.#waiting.delete(id);
  }
}
