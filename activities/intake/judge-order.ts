import { createHash } from 'node:crypto';
import { ID_PATTERN } from '../../domain/ids.ts';
import { newsFactsOf } from '../../domain/platform-news.ts';
import type { CollectedOrder } from '../../domain/platform-order.ts';
import {
  contentProblem,
  platformSnapshotOf,
  unmappedSnapshotOf,
  type OpenSnapshot,
} from '../../domain/platform-snapshot.ts';
import { receiverIdentityText } from '../../domain/receiver-record.ts';
import type { CollectedHead } from '../../models/collected-orders.ts';
import type { InboxOutcome } from '../../models/inbox.ts';
import type { HeardWord } from '../../models/order-records.ts';
import type { ShopRecord } from '../../models/shop-records.ts';
import type { IntakeSealer } from './ports.ts';

export interface JudgeContext {
  shop: Pick<ShopRecord, 'shopId' | 'channel' | 'currency'>;
  /** Our SKUs by the platform's. */
  skuCodes: ReadonlyMap<string, string>;
  sealer: IntakeSealer;
  now: Date;
}

/** What one order of a page means for what is stored of it. */
export interface JudgedOrder {
  order: CollectedOrder;
  heard: HeardWord;
  outcome: InboxOutcome;
  /** Its receiver is sealed only when it is stored. */
  snapshot: OpenSnapshot;
}

/** Keyed, because a plain hash of what is known but for a phone number would give the number away. */
export const contentHashOf = (raw: string, sealer: IntakeSealer): string =>
  sealer.blindIndex('inbox', createHash('sha256').update(raw).digest('hex'));

export const isUsableId = (platformOrderId: string): boolean => ID_PATTERN.test(platformOrderId);

/** Compares an order with what was heard of it before: an older word and one that says nothing new change nothing. */
export const judgeOrder = (
  order: CollectedOrder,
  known: CollectedHead | undefined,
  context: JudgeContext,
): JudgedOrder => {
  const { sealer } = context;
  const at = timeOf(order.modifiedAt);
  const snapshot = snapshotOf(order, known, context);
  const facts = createHash('sha256')
    .update(newsFactsOf(snapshot, known?.waybills ?? []))
    .digest('hex');
  const heard = { at, digest: sealer.blindIndex('order-news', facts) };
  return { order, heard, snapshot, outcome: outcomeOf(heard, known, () => sealer.blindIndexes('order-news', facts)) };
};

const outcomeOf = (
  { at, digest }: HeardWord,
  known: CollectedHead | undefined,
  digests: () => readonly string[],
): InboxOutcome => {
  if (!known) return 'created';
  if (!known.heard) return 'changed';
  if (at < known.heard.at) return 'older';
  return digest === known.heard.digest || digests().includes(known.heard.digest) ? 'unchanged' : 'changed';
};

const snapshotOf = (
  { platformOrderId, content, problem, modifiedAt }: CollectedOrder,
  known: CollectedHead | undefined,
  { shop, skuCodes, sealer, now }: JudgeContext,
): OpenSnapshot => {
  const receivedAt = known?.snapshot.receivedAt ?? now.toISOString();
  const unmapped = (reason: string) => unmappedSnapshotOf(shop, { platformOrderId, reason, receivedAt });
  if (!content) return unmapped(problem ?? 'it could not be understood');
  if (timeOf(modifiedAt) === NO_TIME) return unmapped('it has no time of change');
  try {
    const found = contentProblem(content, shop.currency);
    if (found !== null) return unmapped(found);
    const identity = identityOf(receiverIdentityText(content.receiver), known?.snapshot.receiver.identity, sealer);
    return platformSnapshotOf({ shop, platformOrderId, content, skuCodes, identity, receivedAt });
  } catch (error) {
    // One order that is nonsense must not keep the others of its page.
    return unmapped(`it could not be understood (${(error as Error).name})`);
  }
};

/** An index under an older key still names the same receiver. */
const identityOf = (text: string, known: string | undefined, sealer: IntakeSealer): string => {
  const current = sealer.blindIndex('receiver', text);
  if (known === undefined || known === current) return current;
  return sealer.blindIndexes('receiver', text).includes(known) ? known : current;
};

const NO_TIME = '';

const timeOf = (text: string): string => (Number.isNaN(Date.parse(text)) ? NO_TIME : new Date(text).toISOString());
