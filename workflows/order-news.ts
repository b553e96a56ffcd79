import type { OrderFact } from '../domain/order-messages.ts';
import type { OrderSnapshot } from '../domain/order-model.ts';

/**
 * What a signal says, or `null` when it says nothing that is understood: whoever reaches Temporal can send one, and a
 * handler that throws would stop the order.
 */
export type ReadNews = (payload: unknown) => OrderFact | null;

const textsOf = <K extends string>(payload: unknown, ...keys: K[]): Record<K, string> | null => {
  if (typeof payload !== 'object' || payload === null) return null;
  const fields = payload as Record<K, unknown>;
  const isWhole = keys.every((key) => typeof fields[key] === 'string' && fields[key] !== '');
  return isWhole ? (fields as Record<K, string>) : null;
};

export const stockReserved: ReadNews = (payload) => {
  const round = (payload as { round?: unknown } | null | undefined)?.round;
  return typeof round === 'number' ? { type: 'stockReserved', round } : null;
};

export const skuMapped: ReadNews = (payload) => {
  const texts = textsOf(payload, 'platformSku', 'skuCode');
  return texts && { type: 'skuMapped', platformSku: texts.platformSku, skuCode: texts.skuCode };
};

export const caseResolved: ReadNews = (payload) => {
  const texts = textsOf(payload, 'caseId');
  return texts && { type: 'caseResolved', caseId: texts.caseId };
};

export const parcelShipped: ReadNews = (payload) => {
  const texts = textsOf(payload, 'groupId', 'warehouseId', 'courier', 'trackingNo');
  if (!texts) return null;
  const { groupId, warehouseId, courier, trackingNo } = texts;
  return { type: 'parcelShipped', groupId, warehouseId, courier, trackingNo };
};

export const platformChanged: ReadNews = (payload) => {
  const snapshot = (payload as { snapshot?: { orderId?: unknown; lines?: unknown } } | null | undefined)?.snapshot;
  if (typeof snapshot?.orderId !== 'string' || !Array.isArray(snapshot.lines)) return null;
  return { type: 'platformChanged', snapshot: snapshot as OrderSnapshot };
};
