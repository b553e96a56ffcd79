import { createHash } from 'node:crypto';
import type { BookedLine, BookedParcel, Delivery } from './delivery-book.ts';

export interface ParcelRates {
  /** How many of a hundred confirmations, as a fraction, have two parcels. */
  splitRate: number;
  /** How many deliveries leave in two parts, each confirmed apart. */
  partRate: number;
}

const COURIERS = ['SF', 'ZTO', 'YTO', 'STO', 'YUNDA'];

/** From 0 to 1, the same for the same text: a warehouse that starts again decides as it did. */
const chance = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;

const unitsIn = (lines: readonly BookedLine[]): number => lines.reduce((sum, { quantity }) => sum + quantity, 0);

/** What leaves next, of what is left. */
export const nextParcels = (
  delivery: Delivery,
  rest: readonly BookedLine[],
  { splitRate, partRate }: ParcelRates,
): { parcels: BookedParcel[]; isFinal: boolean } => {
  const { code } = delivery;
  const isFirst = !delivery.reports.some(({ content }) => content.kind === 'confirm');
  const isPart = isFirst && unitsIn(rest) > 1 && chance(`part ${code}`) < partRate;
  const goods = isPart ? firstUnits(rest, Math.ceil(unitsIn(rest) / 2)) : [...rest];
  const isSplit = unitsIn(goods) > 1 && chance(`split ${code} ${isFirst}`) < splitRate;
  const first = isSplit ? firstUnits(goods, Math.ceil(unitsIn(goods) / 2)) : goods;
  const second = without(goods, first);
  const parcels = [first, second].filter((items) => items.length > 0).map((items) => parcelOf(delivery, items));
  return { parcels: parcels.map((parcel, i) => ({ ...parcel, expressCode: waybill(delivery, i) })), isFinal: !isPart };
};

const parcelOf = ({ code, logisticsCode }: Delivery, items: BookedLine[]): Omit<BookedParcel, 'expressCode'> => ({
  logisticsCode:
    logisticsCode === 'OTHER' ? (COURIERS[Math.floor(chance(code) * COURIERS.length)] ?? 'SF') : logisticsCode,
  items,
});

const waybill = ({ code, reports }: Delivery, index: number): string => {
  const digest = createHash('sha256').update(`${code} ${reports.length} ${index}`).digest();
  return `SIM${String(digest.readUIntBE(0, 6)).padStart(15, '0').slice(-13)}`;
};

const firstUnits = (lines: readonly BookedLine[], units: number): BookedLine[] => {
  let open = units;
  return lines.flatMap((line) => {
    const quantity = Math.min(line.quantity, open);
    open -= quantity;
    return quantity > 0 ? [{ ...line, quantity }] : [];
  });
};

const without = (lines: readonly BookedLine[], taken: readonly BookedLine[]): BookedLine[] =>
  lines.flatMap((line) => {
    const quantity = line.quantity - (taken.find(({ lineNo }) => lineNo === line.lineNo)?.quantity ?? 0);
    return quantity > 0 ? [{ ...line, quantity }] : [];
  });
