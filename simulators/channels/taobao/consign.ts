import { COMPANIES } from './companies.ts';
import { serviceError } from './top-error.ts';
import { isLineClosed, isLineShipped, type Consign, type Trade, type TradeLine } from './trade.ts';
import { statusByLines, type TradeChange } from './trade-changes.ts';

export interface ConsignInput {
  /** Which of the platform's services refuses: part of its sub codes. */
  service: 'offline' | 'online' | 'dummy';
  outSid: string;
  companyCode: string;
  /** Lines in the parcel; undefined when the call names none. */
  subTids: string[] | undefined;
  isSplit: boolean;
}

/** `?`: how long a waybill number may be; the platform asks the courier. */
const WAYBILL = /^[A-Za-z0-9-]{4,40}$/;

/**
 * What a parcel makes of its trade. A line that is on its way takes another waybill as an additional package only while
 * it has more units than packages; everything else that was sent before is refused.
 */
export const consign = (trade: Trade, input: ConsignInput, at: number): TradeChange => {
  const refuse = (code: string, why: string) =>
    serviceError(`isv.logistics-${input.service}-service-error:${code}`, why);
  if (input.service !== 'dummy') {
    if (!COMPANIES.has(input.companyCode)) throw refuse('B56', 'The logistics company is not known');
    if (!WAYBILL.test(input.outSid)) throw refuse('B60', 'The waybill number does not follow the rules');
  }
  if (input.isSplit && !input.subTids) throw refuse('CD26', 'A split parcel names its sub trades');
  if (!input.isSplit && input.subTids)
    throw refuse('CD25', 'Sub trades and the split mark come together or not at all');
  const lines = named(trade, input.subTids);
  if (!lines) throw refuse('CD24', 'The sub trades are not of this trade');
  if (!input.subTids && trade.status === 'SELLER_CONSIGNED_PART')
    throw refuse('CD22', 'The trade is split: name the sub trades');
  const isOpen = ['WAIT_SELLER_SEND_GOODS', 'SELLER_CONSIGNED_PART'].includes(trade.status);
  const isSent = trade.status === 'WAIT_BUYER_CONFIRM_GOODS';
  if (lines.length === 0 || !(isOpen || isSent) || !lines.every((line) => takes(trade, line, input.outSid)))
    throw refuse('B04', 'The trade is in the wrong state: it was shipped before, or closed');
  return shipped(trade, new Set(lines.map(({ oid }) => oid)), input, at);
};

const named = (trade: Trade, subTids: string[] | undefined): TradeLine[] | undefined => {
  if (!subTids) return trade.lines.filter((line) => !isLineClosed(line));
  const lines = [...new Set(subTids)].map((oid) => trade.lines.find((line) => line.oid === oid));
  return lines.every((line) => line !== undefined) ? lines : undefined;
};

const takes = (trade: Trade, line: TradeLine, outSid: string): boolean => {
  if (isLineClosed(line)) return false;
  if (!isLineShipped(line)) return true;
  const packages = trade.consigns.filter(({ oids }) => oids.includes(line.oid));
  return packages.length < line.num && packages.every((one) => one.out_sid !== outSid);
};

const shipped = (trade: Trade, oids: ReadonlySet<string>, input: ConsignInput, at: number): TradeChange => {
  const lines = trade.lines.map((line) => {
    if (!oids.has(line.oid)) return line;
    const sent = { ...line, status: 'WAIT_BUYER_CONFIRM_GOODS', consignTime: line.consignTime ?? at };
    return input.service === 'dummy' ? sent : { ...sent, companyCode: input.companyCode, outSid: input.outSid };
  });
  const parcel: Consign = {
    out_sid: input.outSid,
    company_code: input.companyCode,
    oids: [...oids],
    at: new Date(at).toISOString(),
  };
  const status = statusByLines(trade, lines);
  return {
    patch: { lines, status, consignTime: trade.consignTime ?? at, consigns: [...trade.consigns, parcel] },
    topics: [
      status === 'SELLER_CONSIGNED_PART' ? 'taobao_trade_TradePartlySellerShip' : 'taobao_trade_TradeSellerShip',
    ],
  };
};
