import { newOrderFields } from '../../domain/new-order-fields.ts';
import { orderIdOf } from '../../domain/ids.ts';
import type { Origin } from '../../domain/order-messages.ts';
import type { OrderSnapshot } from '../../domain/order-model.ts';
import type { CollectedOrder } from '../../domain/platform-order.ts';
import { receiverRecordOf, type ClearReceiver } from '../../domain/receiver-record.ts';
import type { CollectedHead, CollectedOrderStore, HeardChange } from '../../models/collected-orders.ts';
import type { InboxRecord, InboxSource, InboxStore } from '../../models/inbox.ts';
import type { OrderRecord } from '../../models/order-records.ts';
import type { ShopRecord } from '../../models/shop-records.ts';
import type { SkuMappingStore } from '../../models/sku-mapping-records.ts';
import { contentHashOf, isUsableId, judgeOrder, type JudgedOrder } from './judge-order.ts';
import type { Clock, IntakeLog, IntakeMetrics, IntakeSealer } from './ports.ts';
import { NO_COUNTS, type CollectCounts } from '../../domain/collect-counts.ts';

export interface OrderCollectorDeps {
  inbox: Pick<InboxStore, 'addAll'>;
  orders: Pick<CollectedOrderStore, 'heads' | 'insertAll' | 'changeAll'>;
  mappings: Pick<SkuMappingStore, 'skuCodesOf'>;
  sealer: IntakeSealer;
  metrics: IntakeMetrics;
  log: IntakeLog;
  now: Clock;
  /** For how long raw payloads are kept. */
  inboxTtlMs: number;
}

export interface PageContext {
  shop: Pick<ShopRecord, 'shopId' | 'channel' | 'currency'>;
  source: InboxSource;
  backfillId: string | null;
}

interface Candidate {
  orderId: string;
  order: CollectedOrder;
  contentHash: string;
}

interface Verdict extends Candidate {
  known: CollectedHead | undefined;
  judged: JudgedOrder;
}

const ORIGIN: Origin = { actor: { kind: 'system', id: 'intake' } };
/** Of one write; pages are rarely longer. */
const MOST_AT_ONCE = 100;
/** Polls, messages and backfills may store the same orders at the same moment. */
const MAX_TRIES = 6;

/**
 * Stores what platforms send: the raw text in the inbox, then the unified snapshots. A page takes four round trips however
 * many orders it has, and two when nothing in it is new. Every part may be repeated: raw texts have their hash in their
 * key, and an order is written only over what it was judged by.
 */
export class OrderCollector {
  readonly #deps: OrderCollectorDeps;

  constructor(deps: OrderCollectorDeps) {
    this.#deps = deps;
  }

  async add(orders: readonly CollectedOrder[], context: PageContext): Promise<CollectCounts> {
    const counts = { ...NO_COUNTS };
    for (let from = 0; from < orders.length; from += MOST_AT_ONCE)
      await this.#addSome(orders.slice(from, from + MOST_AT_ONCE), context, counts);
    return counts;
  }

  async #addSome(orders: readonly CollectedOrder[], context: PageContext, counts: CollectCounts): Promise<void> {
    counts.seen += orders.length;
    const { candidates, repeated, unusable } = this.#sortOut(orders, context);
    counts.unchanged += repeated;
    counts.failed += unusable.length;
    const skuCodesFound = this.#deps.mappings.skuCodesOf(context.shop.shopId, platformSkusOf(orders));
    // The first look at what is stored, while the mappings are looked up.
    const [skuCodes, firstHeads] = await Promise.all([skuCodesFound, this.#headsOf(candidates)]);
    let verdicts = this.#judge(candidates, firstHeads, { ...context, skuCodes });
    const first = new Map(verdicts.map((verdict) => [verdict.orderId, verdict]));
    await this.#deps.inbox.addAll([...verdicts.filter(isNewText), ...unusable].map((one) => this.#raw(one, context)));
    for (let tries = 1; !(await this.#store(verdicts, context)); tries += 1) {
      if (tries >= MAX_TRIES) throw new Error('orders are being changed by many at once');
      const open = verdicts.filter(isToWrite);
      // Whatever stands there as we would write it was written: by us just now, or by somebody with the same news.
      verdicts = this.#judge(open, await this.#headsOf(open), { ...context, skuCodes }).filter(
        ({ judged, known }) => known?.heard?.at !== judged.heard.at || judged.outcome !== 'unchanged',
      );
      for (const verdict of verdicts) first.set(verdict.orderId, verdict);
    }
    for (const { judged } of first.values()) this.#count(judged, counts, context);
  }

  #sortOut(orders: readonly CollectedOrder[], { shop }: PageContext) {
    const newest = new Map<string, CollectedOrder>();
    const unusable: Candidate[] = [];
    for (const order of orders) {
      const orderId = orderIdOf(shop.shopId, order.platformOrderId);
      const known = newest.get(orderId);
      if (!isUsableId(order.platformOrderId)) unusable.push(this.#candidate(orderId, order));
      else if (!known || Date.parse(order.modifiedAt) >= Date.parse(known.modifiedAt)) newest.set(orderId, order);
    }
    if (unusable.length > 0)
      this.#deps.log.error('A platform has sent orders without a usable id', {
        shopId: shop.shopId,
        count: unusable.length,
      });
    const candidates = [...newest].map(([orderId, order]) => this.#candidate(orderId, order));
    return { candidates, unusable, repeated: orders.length - candidates.length - unusable.length };
  }

  #candidate(orderId: string, order: CollectedOrder): Candidate {
    return { orderId, order, contentHash: contentHashOf(order.raw, this.#deps.sealer) };
  }

  async #headsOf(candidates: readonly Candidate[]): Promise<Map<string, CollectedHead>> {
    return candidates.length === 0 ? new Map() : this.#deps.orders.heads(candidates.map(({ orderId }) => orderId));
  }

  #judge(
    candidates: readonly Candidate[],
    heads: ReadonlyMap<string, CollectedHead>,
    { shop, skuCodes }: PageContext & { skuCodes: ReadonlyMap<string, string> },
  ): Verdict[] {
    const context = { shop, skuCodes, sealer: this.#deps.sealer, now: this.#deps.now() };
    return candidates.map(({ orderId, order, contentHash }) => {
      const known = heads.get(orderId);
      return { orderId, order, contentHash, known, judged: judgeOrder(order, known, context) };
    });
  }

  #raw(entry: Candidate & { judged?: JudgedOrder }, { shop, source, backfillId }: PageContext): InboxRecord {
    const { order, contentHash, judged } = entry;
    const platformOrderId = order.platformOrderId.slice(0, 100);
    const receivedAt = this.#deps.now();
    const unmapped = judged ? judged.snapshot.unmapped : 'it has no usable id';
    const _id = `${shop.shopId}/${platformOrderId}/${contentHash}`;
    return {
      _id,
      shopId: shop.shopId,
      platformOrderId,
      contentHash,
      rawSealed: this.#deps.sealer.seal({ raw: order.raw }, `inbox/${_id}`),
      source,
      backfillId,
      outcome: unmapped === undefined ? (judged?.outcome ?? 'failed') : 'failed',
      problem: unmapped ?? null,
      receivedAt,
      expireAt: new Date(receivedAt.getTime() + this.#deps.inboxTtlMs),
    };
  }

  /** False when something was written in between; it is then to be judged again. */
  async #store(verdicts: readonly Verdict[], context: PageContext): Promise<boolean> {
    const writes = verdicts.filter(isToWrite);
    const fresh = writes.filter(({ known }) => !known);
    const changed = writes.filter(({ known }) => known);
    const done = await Promise.all([
      this.#deps.orders.insertAll(fresh.map((verdict) => this.#record(verdict))),
      this.#deps.orders.changeAll(changed.map((verdict) => this.#change(verdict))),
    ]);
    const { shopId } = context.shop;
    const isDone = done.every(Boolean);
    if (!isDone) this.#deps.log.info('Orders were stored by somebody else meanwhile', { shopId });
    return isDone;
  }

  #record(verdict: Verdict): OrderRecord {
    const snapshot = this.#sealed(verdict);
    return {
      _id: snapshot.orderId,
      ...newOrderFields(snapshot, this.#deps.now().toISOString()),
      snapshot,
      contentHash: verdict.contentHash,
      origin: ORIGIN,
      heard: verdict.judged.heard,
      untold: true,
      runId: null,
      lastStep: null,
      final: null,
    };
  }

  #change(verdict: Verdict): HeardChange {
    const { orderId, contentHash, known, judged } = verdict;
    const { heard, snapshot } = judged;
    const change = { orderId, known: known?.heard, heard, contentHash };
    if (judged.outcome === 'unchanged') return { ...change, news: null };
    if (snapshot.unmapped !== undefined) return { ...change, news: { unmapped: snapshot.unmapped } };
    const sealed = this.#sealed(verdict);
    const isUntaken = known?.revision === 0;
    const untakenFields = isUntaken ? { untakenFields: newOrderFields(sealed, this.#deps.now().toISOString()) } : {};
    return { ...change, news: { snapshot: sealed }, ...untakenFields };
  }

  #sealed({ order, judged: { snapshot } }: Verdict): OrderSnapshot {
    const { identity } = snapshot.receiver;
    const isUnmapped = snapshot.unmapped !== undefined || !order.content;
    const receiver = receiverRecordOf(
      isUnmapped || !order.content ? NOBODY : order.content.receiver,
      this.#deps.sealer,
    );
    return {
      ...snapshot,
      receiver: {
        ...receiver,
        missing: isUnmapped ? [] : receiver.missing,
        ...(identity === undefined ? {} : { identity }),
      },
    };
  }

  #count({ outcome, snapshot }: JudgedOrder, counts: CollectCounts, { shop }: PageContext): void {
    if (outcome === 'created') this.#deps.metrics.orderReceived(shop.channel);
    if (snapshot.unmapped !== undefined) counts.failed += 1;
    else counts[outcome === 'created' || outcome === 'changed' ? outcome : 'unchanged'] += 1;
  }
}

const NOBODY: ClearReceiver = {
  name: '',
  phone: '',
  address: '',
  province: '',
  city: '',
  district: '',
  pickupStation: false,
};

const isNewText = ({ known, contentHash }: Verdict): boolean => known?.contentHash !== contentHash;

/** What says nothing new is written only for its time, so that an older word that comes late is known as older. */
const isToWrite = ({ judged: { outcome, heard }, known }: Verdict): boolean =>
  outcome === 'created' || outcome === 'changed' || (outcome === 'unchanged' && known?.heard?.at !== heard.at);

const platformSkusOf = (orders: readonly CollectedOrder[]): string[] =>
  orders.flatMap(({ content }) =>
    (content?.lines ?? []).flatMap(({ platformSku }) => (platformSku === undefined ? [] : [platformSku])),
  );
