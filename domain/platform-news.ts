import type { OrderSnapshot, ReceiverRecord } from './order-model.ts';
import type { PlatformPhase, PlatformWord } from './platform-order.ts';

/** A snapshot as far as news are looked for in it; of the receiver only by what two are told apart. */
export interface NewsSource extends Pick<
  OrderSnapshot,
  'type' | 'lines' | 'orderDiscount' | 'freight' | 'payable' | 'presale' | 'platform' | 'unmapped'
> {
  receiver: Pick<ReceiverRecord, 'identity'>;
}

const OVER: readonly PlatformPhase[] = ['finished', 'closed_unpaid', 'closed_refunded'];
const SENT: readonly PlatformPhase[] = ['partly_shipped', 'shipped'];

/**
 * All of a platform's order that its workflow has to hear of, as one text: two that are equal are no news. What is not in
 * it, say a memo, wakes nobody; neither do our own parcels when the platform repeats them. `waybills` are the order's own.
 */
export const newsFactsOf = (snapshot: NewsSource, waybills: readonly string[]): string => {
  const { type, lines, orderDiscount, freight, payable, presale, platform, unmapped, receiver } = snapshot;
  if (unmapped !== undefined || !platform) return JSON.stringify({ unmapped: unmapped ?? null });
  const own = new Set(waybills.map(comparable));
  const foreign = platform.parcels.filter(({ trackingNo }) => !own.has(comparable(trackingNo)));
  return JSON.stringify([
    isEcho(platform, foreign, own) ? 'paid' : platform.phase,
    platform.phase === 'unknown' ? platform.status : '',
    platform.lockedBy,
    platform.paid,
    platform.refundOpen.toSorted(),
    sortedBy(platform.refunded.map(({ lineId, quantity }) => [lineId, quantity])),
    sortedBy(foreign.map(({ trackingNo, lineIds }) => [comparable(trackingNo), ...lineIds.toSorted()])),
    // Platforms take the receiver away when all is over.
    OVER.includes(platform.phase) ? '' : (receiver.identity ?? ''),
    type,
    // Which SKU it is may change with a mapping, which tells the orders itself.
    sortedBy(
      lines.map(({ lineId, platformSku, skuCode, quantity, unitPrice, discount }) => [
        lineId,
        platformSku ?? '',
        skuCode !== null,
        quantity,
        unitPrice,
        discount,
      ]),
    ),
    [orderDiscount, freight, payable],
    presale ? [presale.deposit, presale.balanceDueAt ?? '', presale.promisedShipAt ?? ''] : [],
  ]);
};

/** The platform calls it sent because we have told it so. */
const isEcho = ({ phase, parcels }: PlatformWord, foreign: readonly unknown[], own: ReadonlySet<string>): boolean =>
  SENT.includes(phase) && own.size > 0 && (parcels.length === 0 || foreign.length === 0);

/** Platforms write a waybill's number in their own way. */
export const comparable = (trackingNo: string): string => trackingNo.trim().toUpperCase();

const sortedBy = (rows: readonly (readonly unknown[])[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();
