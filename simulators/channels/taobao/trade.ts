/** How the platform keeps a trade. Ids are text, amounts fen, times milliseconds of whole seconds. */
export interface Trade {
  tid: string;
  seller: string;
  type: TradeType;
  /** One of the platform's, or whatever it was told to say. */
  status: string;
  stepStatus?: StepStatus;
  created: number;
  modified: number;
  payTime?: number;
  /** When the deposit of a presale came. */
  stepPayTime?: number;
  consignTime?: number;
  endTime?: number;
  buyer: { nick: string; openUid: string };
  receiver: Receiver;
  postFee: number;
  /** What the buyer has to pay, or paid. */
  payment: number;
  deposit: number;
  buyerMessage?: string;
  memo: string;
  flag: number;
  lines: TradeLine[];
  /** Every call that took effect, whichever way. */
  consigns: Consign[];
  /** Of buyers who leave it at ordering. */
  neverPays: boolean;
  /** No simulated buyer acts on it. */
  isLeftAlone: boolean;
  /** Fields that are answered as given here; null leaves one out. */
  raw?: RawFields;
}

export type TradeType = 'fixed' | 'step' | 'cod';
export type StepStatus = 'FRONT_NOPAID_FINAL_NOPAID' | 'FRONT_PAID_FINAL_NOPAID' | 'FRONT_PAID_FINAL_PAID';
export type RawFields = Readonly<Record<string, unknown>>;

export interface TradeLine {
  oid: string;
  numIid: string;
  skuId: string | null;
  outerIid: string | null;
  outerSkuId: string | null;
  title: string;
  num: number;
  price: number;
  /** Of the line itself. */
  discount: number;
  /** Its share of the discount on the whole trade. */
  share: number;
  status: string;
  refundStatus: string;
  refundId?: string;
  consignTime?: number;
  endTime?: number;
  /** Of its latest parcel. */
  companyCode?: string;
  outSid?: string;
  raw?: RawFields;
}

export interface Receiver {
  name: string;
  mobile: string;
  state: string;
  city: string;
  district: string;
  address: string;
}

/** A parcel that a call told the platform of. */
export interface Consign {
  out_sid: string;
  company_code: string;
  oids: string[];
  /** RFC 3339, UTC. */
  at: string;
}

export const UNPAID_STATUSES = ['TRADE_NO_CREATE_PAY', 'WAIT_BUYER_PAY', 'PAY_PENDING', 'WAIT_PRE_AUTH_CONFIRM'];
export const ENDED_STATUSES = ['TRADE_FINISHED', 'TRADE_CLOSED', 'TRADE_CLOSED_BY_TAOBAO'];
export const SHIPPED_STATUSES = ['WAIT_BUYER_CONFIRM_GOODS', 'TRADE_BUYER_SIGNED', 'TRADE_FINISHED'];
export const OPEN_REFUND_STATUSES = [
  'WAIT_SELLER_AGREE',
  'WAIT_BUYER_RETURN_GOODS',
  'WAIT_SELLER_CONFIRM_GOODS',
  'SELLER_REFUSE_BUYER',
];

/** Price of the line after its own discount; the share of the trade's discount is not yet taken off. */
export const lineNet = (line: TradeLine): number => line.price * line.num - line.discount;

export const isLineClosed = (line: TradeLine): boolean => line.status.startsWith('TRADE_CLOSED');
export const isLineShipped = (line: TradeLine): boolean => SHIPPED_STATUSES.includes(line.status);
