import { Problem } from './errors.ts';

/** Throws 412 when the caller's `If-Match` is not the current revision. */
export function assertRevision(ifMatch: number | undefined, current: number): void {
  if (ifMatch !== undefined && ifMatch !== current)
    throw new Problem('stale_revision', { detail: `The current revision is ${current}`, more: { revision: current } });
}
