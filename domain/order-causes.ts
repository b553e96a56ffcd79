import { addHold, happen, openCase, type Step, type StepContext } from './order-step.ts';
import { hasUnknownSku } from './order-holds.ts';
import { noticeSurplus } from './order-surplus.ts';

/** Holds that follow from the order itself. */
export const holdForCauses = (step: Step, context: StepContext): void => {
  const { lines, unmapped } = step.next.snapshot;
  if (unmapped !== undefined) return holdUnmapped(step, unmapped, context);
  holdIncompleteAddress(step, context);
  if (hasUnknownSku(step.next)) {
    const unknown = lines.filter((line) => line.skuCode === null).map((line) => line.platformSku ?? line.lineId);
    addHold(step, { code: 'unknown_sku', since: context.now, detail: `no SKU for: ${unknown.join(', ')}` });
    openCase(step, 'unknown_sku', `no SKU for: ${unknown.join(', ')}`);
  }
  noticeSurplus(step, context);
};

/** No parcel goes without them. */
export const holdIncompleteAddress = (step: Step, { now }: StepContext): void => {
  const { missing } = step.next.snapshot.receiver;
  if (missing.length > 0)
    addHold(step, { code: 'address_incomplete', since: now, detail: `missing: ${missing.join(', ')}` });
};

const UNMAPPED = 'the platform’s order could not be understood: ';
export const unmappedDetail = (why: string): string => UNMAPPED + why;
export const isUnmappedDetail = (detail: string): boolean => detail.startsWith(UNMAPPED);

/** A platform's order that nobody understands waits for a person, or for a change of it that is understood. */
export const holdUnmapped = (step: Step, why: string, { now }: StepContext): void => {
  const detail = unmappedDetail(why);
  addHold(step, { code: 'manual', since: now, detail });
  openCase(step, 'mapping_failed', detail);
  happen(step, 'unmapped', { why });
};
