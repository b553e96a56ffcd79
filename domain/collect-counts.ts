/** What collecting has found; what came twice counts twice in `seen`. */
export interface CollectCounts {
  seen: number;
  created: number;
  changed: number;
  unchanged: number;
  failed: number;
}

export const NO_COUNTS: CollectCounts = { seen: 0, created: 0, changed: 0, unchanged: 0, failed: 0 };

export const addCounts = (a: CollectCounts, b: CollectCounts): CollectCounts => ({
  seen: a.seen + b.seen,
  created: a.created + b.created,
  changed: a.changed + b.changed,
  unchanged: a.unchanged + b.unchanged,
  failed: a.failed + b.failed,
});
