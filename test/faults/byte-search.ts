/** Finds any number of byte strings in one pass (Aho-Corasick), so that data files of hundreds of megabytes are no matter. */
export class ByteSearch {
  /** For each state and byte the next state; a state is a prefix of a pattern. */
  readonly #next: Int32Array;
  /** Patterns that end in a state. */
  readonly #ends: number[][];

  constructor(patterns: readonly Uint8Array[]) {
    const most = 1 + patterns.reduce((sum, pattern) => sum + pattern.length, 0);
    const next = new Int32Array(most * 256).fill(-1);
    const ends: number[][] = [[]];
    for (const [index, pattern] of patterns.entries()) {
      let state = 0;
      for (const byte of pattern) {
        const place = state * 256 + byte;
        if (next[place] === -1) next[place] = ends.push([]) - 1;
        state = next[place] as number;
      }
      ends[state]?.push(index);
    }
    this.#next = next;
    this.#ends = ends;
    this.#completeTransitions();
  }

  /** Calls back with the pattern's index and the place after its last byte. */
  find(bytes: Uint8Array, found: (pattern: number, end: number) => void): void {
    let state = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      state = this.#next[state * 256 + (bytes[at] as number)] as number;
      if (state !== 0) for (const pattern of this.#ends[state] ?? []) found(pattern, at + 1);
    }
  }

  /** Where no pattern goes on, the longest suffix that begins one does. */
  #completeTransitions(): void {
    const fallback = new Int32Array(this.#ends.length);
    const queue = [0];
    for (const state of queue)
      for (let byte = 0; byte < 256; byte += 1) {
        const place = state * 256 + byte;
        const child = this.#next[place] as number;
        const shorter = state === 0 ? 0 : (this.#next[(fallback[state] as number) * 256 + byte] as number);
        if (child === -1) this.#next[place] = shorter;
        else {
          fallback[child] = shorter;
          this.#ends[child]?.push(...(this.#ends[shorter] ?? []));
          queue.push(child);
        }
      }
  }
}
