import type { WmsAccount } from '../wms-port.ts';
import { FieldRefused, childOf, neededText, type Fields } from './fields.ts';
import { MessageRefused, readMessage, writeMessage, type QimenFormat } from './message.ts';
import { parseQimenTime } from './qimen-time.ts';
import { shipmentReportOf, shipmentReportsOf, type ShipmentReport } from './shipment-report.ts';
import { isQimenSigned, type QimenParams } from './sign.ts';
import { MAX_XML_BYTES } from './xml.ts';

export type { QimenFormat } from './message.ts';
export type { ShipmentReport } from './shipment-report.ts';

export const MAX_BODY_BYTES = MAX_XML_BYTES;
/** Clocks may differ by this much; a message that was heard and is sent again later is too old. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;

export interface Progress {
  deliveryOrderCode: string;
  /** The warehouse's own code, e.g. `PICK`. */
  status: string;
}

/** What a warehouse's system says. */
export type WmsWord = { kind: 'shipments'; reports: ShipmentReport[] } | { kind: 'progress'; progress: Progress };

/** A message that is not taken; code and message are for whoever sent it, with nothing secret or personal. */
export class PushRefused extends Error {
  override name = 'PushRefused';
  readonly code: string;
  /** Whether it is sure who sent it. */
  readonly isSigned: boolean;

  constructor(code: string, message: string, { isSigned }: { isSigned: boolean }) {
    super(message);
    this.code = code;
    this.isSigned = isSigned;
  }
}

export interface PushedMessage {
  params: QimenParams;
  body: Uint8Array;
  format: QimenFormat;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Whose it is comes before what it says: nothing of an unsigned body is parsed. Throws `PushRefused`. */
export const readPush = (
  { params, body, format, now }: PushedMessage,
  account: Pick<WmsAccount, 'appKey' | 'secret' | 'customerId'>,
): WmsWord => {
  if (params['app_key'] !== account.appKey) throw unsigned('invalid-app-key', 'app_key is not known here');
  if (params['customerId'] !== account.customerId)
    throw unsigned('invalid-customer-id', 'customerId is not known here');
  if ((params['sign_method'] ?? 'md5').toLowerCase() !== 'md5')
    throw unsigned('invalid-sign-method', 'sign_method must be md5');
  if (!isQimenSigned(params, body, account.secret)) throw unsigned('sign-check-failure', 'the signature is wrong');
  const sentAt = parseQimenTime(params['timestamp'] ?? '');
  if (sentAt === undefined || Math.abs(now - sentAt) > CLOCK_TOLERANCE_MS)
    throw signed('invalid-timestamp', 'timestamp must be the time of China, within ten minutes of now');
  try {
    return wordOf((params['method'] ?? '').replace(/^taobao\.qimen\./, ''), readMessage('request', body, format));
  } catch (error) {
    if (error instanceof FieldRefused || error instanceof MessageRefused)
      throw signed('invalid-request', error.message);
    throw error;
  }
};

const unsigned = (code: string, message: string) => new PushRefused(code, message, { isSigned: false });
const signed = (code: string, message: string) => new PushRefused(code, message, { isSigned: true });

const wordOf = (method: string, request: Fields): WmsWord => {
  switch (method) {
    case 'deliveryorder.confirm':
      return { kind: 'shipments', reports: [shipmentReportOf(request)] };
    case 'deliveryorder.batchconfirm':
      return { kind: 'shipments', reports: shipmentReportsOf(request) };
    case 'orderprocess.report':
      return { kind: 'progress', progress: progressOf(request) };
    default:
      throw signed('unknown-method', 'the method is not offered here');
  }
};

const progressOf = (request: Fields): Progress => {
  const deliveryOrderCode = neededText(childOf(request, 'order'), 'orderCode', 200);
  const status = neededText(childOf(request, 'process'), 'processStatus', 40).toUpperCase();
  if (!/^[A-Z0-9_-]+$/.test(status)) throw new FieldRefused('processStatus must be a code');
  return { deliveryOrderCode, status };
};

export interface QimenAnswer {
  flag: 'success' | 'failure';
  code: string;
  message: string;
}

export const answerText = ({ flag, code, message }: QimenAnswer, format: QimenFormat): string =>
  writeMessage('response', { flag, code, message }, format);
