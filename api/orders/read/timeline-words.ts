import type { Happening } from '../../../domain/order-step.ts';

type Params = Happening['params'];
type Sentence = (params: Params, money: (minor: unknown) => string) => string;

const HOLDS: Record<string, string> = {
  platform_hold: 'the platform holds it',
  risk_review: 'risk review',
  phone_confirmation: 'the buyer is to confirm by phone',
  unknown_sku: 'a SKU is unknown',
  address_incomplete: 'the address is incomplete',
  manual: 'set by hand',
  refund_open: 'a refund is open',
  overpaid: 'more was paid than is due',
  amount_mismatch: "the platform's amounts differ",
  unknown_status: "the platform's status is unknown",
};

const holdOf = (code: unknown): string => HOLDS[String(code)] ?? String(code).replaceAll('_', ' ');
const because = (text: unknown): string => (typeof text === 'string' && text !== '' ? `: ${text}` : '');

/** What the order's steps report, in words; a code without a sentence fails a test. */
export const SENTENCES: Readonly<Record<string, Sentence>> = {
  order_received: ({ payable, paid }, money) =>
    `The order came in: ${money(payable)} to pay, ${paid === 0 ? 'nothing paid yet' : `${money(paid)} paid`}`,
  payment_added: ({ paymentId, amount }, money) => `${money(amount)} was paid (payment ${paymentId})`,
  payment_timeout: () => 'Nobody paid in time; the order was cancelled',
  balance_overdue: () => 'The balance was not paid in time; the order was closed and the deposit is kept',
  hold_set: ({ code, detail }) => `Put on hold, ${holdOf(code)}${because(detail)}`,
  hold_ended: ({ code }) => `The hold ended: ${holdOf(code)}`,
  case_opened: ({ code }) => `A case was opened for a person: ${String(code).replaceAll('_', ' ')}`,
  case_resolved: ({ caseId }) => `A person closed the case ${caseId}`,
  address_changed: ({ district }) => `The receiver was changed${district ? ` (${district})` : ''}`,
  phone_confirmation: ({ outcome, note }) =>
    `${outcome === 'confirmed' ? 'The buyer confirmed the order by phone' : 'The buyer did not confirm the order by phone'}${because(note)}`,
  assigned: ({ username }) => `Assigned to ${username}`,
  sku_mapped: ({ platformSku, skuCode }) => `The platform's SKU ${platformSku} is our ${skuCode}`,
  reserved: ({ warehouses }) => `The goods were reserved in ${warehouses}`,
  backordered: () => 'There is too little stock; the order waits for goods in the order of payment',
  reallocated: ({ warehouseId }) => `The reservation was moved to ${warehouseId}`,
  split: ({ parcels }) => `The goods were split into ${parcels} parcels`,
  parcel_joined: ({ orders }) => `Joined into one parcel with ${orders}`,
  parcel_left: () => 'Sent as a parcel of its own again',
  shipped: ({ shipmentId, courier, trackingNo, units }) =>
    `${units} ${units === 1 ? 'piece' : 'pieces'} left with ${courier}, waybill ${trackingNo} (${shipmentId})`,
  parcel_delivered: ({ shipmentId }) => `Parcel ${shipmentId} was delivered`,
  delivered: () => 'Everything was delivered',
  completed: () => 'The order is completed',
  cancelled: ({ reason, partly }) =>
    `${partly === true ? 'The rest that was not sent was cancelled' : 'The order was cancelled'}${because(reason)}`,
  reinstated: () => 'The cancelled order was brought back to life',
  handed_over: ({ code, warehouseId }) => `${warehouseId} has taken the delivery ${code}`,
  hand_over_refused: ({ code, warehouseId, detail }) => `${warehouseId} refuses the delivery ${code}${because(detail)}`,
  delivery_stopped: ({ code, warehouseId }) => `${warehouseId} has stopped the delivery ${code}`,
  stop_refused: ({ code, warehouseId, detail }) =>
    `${warehouseId} could not stop the delivery ${code} any more${because(detail)}`,
  cancel_requested: ({ reason }) =>
    `The warehouse was asked to stop, for the order is to be cancelled${because(reason)}`,
  cancel_refused: ({ detail }) => `The order could not be cancelled and goes on${because(detail)}`,
  warehouse_progressed: ({ code, status }) => `The warehouse reports on ${code}: ${status}`,
  units_withdrawn: ({ units, reason }) =>
    `${units} ${units === 1 ? 'piece' : 'pieces'} will not be sent${because(String(reason).replaceAll('_', ' '))}`,
  platform_changed: ({ status }) => `The platform says: ${status}`,
  platform_told: ({ shipmentId }) => `The platform was told of parcel ${shipmentId}`,
  platform_refused: ({ shipmentId, detail }) => `The platform refuses parcel ${shipmentId}${because(detail)}`,
  sent_elsewhere: ({ courier, trackingNo }) =>
    `It had been sent before it came in, with ${courier}, waybill ${trackingNo}`,
  closed_by_platform: ({ refunded }) =>
    refunded === true
      ? 'The platform has paid everything back and closed the order'
      : 'The platform has closed the order',
  unmapped: ({ why }) => `The platform's order could not be understood${because(why)}`,
  still_waiting: () => 'Nothing has happened for a while; the order still waits',
};

export const sentenceOf = ({ code, params }: Happening, currency: string): string =>
  SENTENCES[code]?.(params, (minor) => moneyText(Number(minor), currency)) ?? code.replaceAll('_', ' ');

/** 28000 CNY → `280.00 CNY`; digits after the point as the currency has them. */
const moneyText = (minor: number, currency: string): string => {
  const digits = fractionDigits(currency);
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return `${minor < 0 ? '-' : ''}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ''} ${currency}`;
};

const fractionDigits = (currency: string): number => {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
};
