/** Takes back what was done in memory since a point, newest first. */
export class UndoLog {
  #steps: (() => void)[] | null = null;

  /** Everything since is undone when `run` throws or its result is refused. */
  async atomically<T>(run: () => Promise<T>, isRefused: (result: T) => boolean): Promise<T> {
    const steps: (() => void)[] = [];
    this.#steps = steps;
    let isKept = false;
    try {
      const result = await run();
      isKept = !isRefused(result);
      return result;
    } finally {
      this.#steps = null;
      if (!isKept) for (const undo of steps.toReversed()) undo();
    }
  }

  note(undo: () => void): void {
    this.#steps?.push(undo);
  }

  add(set: Set<string>, value: string): void {
    if (set.has(value)) return;
    set.add(value);
    this.note(() => void set.delete(value));
  }
}
