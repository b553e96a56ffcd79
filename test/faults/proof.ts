/** One claim about the data that a run left behind, with everything that speaks against it. */
export interface Proof {
  claim: string;
  examined: number;
  problems: string[];
}

/** Collects what speaks against a claim. */
export class Claim implements Proof {
  readonly claim: string;
  examined = 0;
  readonly problems: string[] = [];

  constructor(claim: string) {
    this.claim = claim;
  }

  /** Notes that `about` is not as expected; compared by value. */
  same(about: string, found: unknown, expected: unknown): void {
    const [is, shouldBe] = [canonical(found), canonical(expected)];
    if (is !== shouldBe) this.problems.push(`${about} is ${is}, not ${shouldBe}`);
  }

  holds(isSo: boolean, otherwise: string): void {
    if (!isSo) this.problems.push(otherwise);
  }
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? 'undefined';
