import type { BookedLine, DeliveryBook } from './delivery-book.ts';
import { chinaTimeToMs, nodeAt, nodesAt, textAt, type Node } from './qimen-protocol.ts';
import type { WmsFaults } from './wms-faults.ts';

export interface DeskAnswer {
  flag: 'success' | 'failure';
  code: string;
  message: string;
  more?: Node;
}

export interface DeskAccount {
  customerId: string;
  warehouseId: string;
}

const done = (more: Node = {}): DeskAnswer => ({ flag: 'success', code: '0', message: 'ok', more });
const failure = (code: string, message: string): DeskAnswer => ({ flag: 'failure', code, message });

const NEEDED =
  'deliveryOrderCode orderType warehouseCode createTime placeOrderTime operateTime shopNick logisticsCode sourcePlatformCode'.split(
    ' ',
  );
const NEEDED_OF_SENDER = ['name', 'province', 'city', 'detailAddress'];
const NEEDED_OF_RECEIVER = ['name', 'mobile', 'province', 'city', 'detailAddress'];
const ORDER_TYPES = ['JYCK', 'HHCK', 'BFCK', 'QTCK'];
const YUAN = /^\d+\.\d\d$/;
const LONGEST_CODE = 200;

/** Why a delivery cannot be taken; undefined when it can. */
const wrongWith = (request: Node, account: DeskAccount): string | undefined => {
  const head = nodeAt(request, 'deliveryOrder');
  const lines = nodesAt(request, 'orderLines', 'orderLine');
  const lacking = [
    ...NEEDED.filter((name) => textAt(head, name) === ''),
    ...NEEDED_OF_SENDER.filter((name) => textAt(nodeAt(head, 'senderInfo'), name) === ''),
    ...NEEDED_OF_RECEIVER.filter((name) => textAt(nodeAt(head, 'receiverInfo'), name) === ''),
  ];
  if (lacking.length > 0) return `missing: ${lacking.join(', ')}`;
  if (textAt(head, 'deliveryOrderCode').length > LONGEST_CODE) return 'deliveryOrderCode is too long';
  if (!ORDER_TYPES.includes(textAt(head, 'orderType'))) return 'orderType is wrong';
  if (textAt(head, 'warehouseCode') !== account.warehouseId) return 'warehouseCode is not of this warehouse';
  for (const name of ['createTime', 'placeOrderTime', 'operateTime'])
    if (Number.isNaN(chinaTimeToMs(textAt(head, name)))) return `${name} is no time`;
  if (textAt(head, 'totalAmount') !== '' && !YUAN.test(textAt(head, 'totalAmount')))
    return 'totalAmount is not in yuan';
  if (lines.length === 0) return 'missing: orderLines';
  for (const line of lines) {
    if (textAt(line, 'itemCode') === '') return 'missing: itemCode';
    if (textAt(line, 'ownerCode') !== account.customerId) return 'ownerCode is not known here';
    if (!/^[1-9]\d{0,6}$/.test(textAt(line, 'planQty'))) return 'planQty is no quantity';
    if (textAt(line, 'actualPrice') !== '' && !YUAN.test(textAt(line, 'actualPrice')))
      return 'actualPrice is not in yuan';
  }
  return undefined;
};

/** Answers what merchants ask; `onCreated` starts the work. */
export class DeliveryDesk {
  readonly #book: DeliveryBook;
  readonly #faults: WmsFaults;
  readonly #onCreated: (code: string) => void;

  constructor(book: DeliveryBook, faults: WmsFaults, onCreated: (code: string) => void) {
    this.#book = book;
    this.#faults = faults;
    this.#onCreated = onCreated;
  }

  answer(method: string, request: Node, account: DeskAccount): DeskAnswer {
    switch (method) {
      case 'deliveryorder.create':
        return this.#create(request, account);
      case 'order.cancel':
        return this.#stop(request, account);
      case 'deliveryorder.query':
        return this.#query(request, account);
      default:
        return failure('S000', `method ${method.slice(0, 60)} is not offered`);
    }
  }

  #create(request: Node, account: DeskAccount): DeskAnswer {
    const head = nodeAt(request, 'deliveryOrder');
    const code = textAt(head, 'deliveryOrderCode');
    if (this.#book.find(code)) {
      this.#book.createAgain(code);
      return failure('S003', `delivery order ${code} already exists`);
    }
    const wrong = wrongWith(request, account);
    if (wrong !== undefined) return failure('S001', wrong);
    if (this.#faults.strike('refuse-create', 'deliveryorder.create', code))
      return failure('S002', 'the address is outside the area of all couriers');
    this.#book.create({
      code,
      warehouseId: account.warehouseId,
      lines: nodesAt(request, 'orderLines', 'orderLine').map(lineOf),
      logisticsCode: textAt(head, 'logisticsCode'),
      receiver: textsOf(nodeAt(head, 'receiverInfo')),
    });
    this.#onCreated(code);
    return done({ deliveryOrderId: `W-${code}` });
  }

  #stop(request: Node, account: DeskAccount): DeskAnswer {
    const code = textAt(request, 'orderCode');
    const delivery = this.#book.find(code);
    if (!delivery || delivery.warehouseId !== account.warehouseId)
      return failure('S004', `order ${code} does not exist`);
    if (delivery.state === 'stopped') return failure('S011', 'the order has ended and takes no changes');
    const isTooLate = delivery.state !== 'new' && delivery.state !== 'picking';
    if (isTooLate || this.#faults.strike('refuse-stop', 'order.cancel', code)) {
      this.#book.stopAsked(code, 'refused');
      return failure('S010', `too late: the order is ${delivery.state}`);
    }
    this.#book.stopAsked(code, 'stopped');
    this.#book.move(code, 'stopped');
    return done();
  }

  #query(request: Node, account: DeskAccount): DeskAnswer {
    const code = textAt(request, 'orderCode');
    const delivery = this.#book.find(code);
    if (!delivery || delivery.warehouseId !== account.warehouseId)
      return failure('S004', `order ${code} does not exist`);
    return done({
      totalLines: delivery.lines.length,
      deliveryOrder: { deliveryOrderCode: code, warehouseCode: delivery.warehouseId, status: STATUS[delivery.state] },
      orderLines: {
        orderLine: delivery.lines
          .slice(0, 100)
          .map(({ lineNo, itemCode, quantity }) => ({ orderLineNo: lineNo, itemCode, planQty: quantity })),
      },
    });
  }
}

const STATUS = {
  new: 'NEW',
  picking: 'ACCEPT',
  packed: 'ACCEPT',
  part_shipped: 'PARTDELIVERED',
  shipped: 'DELIVERED',
  stopped: 'CANCELED',
} as const;

const lineOf = (line: Node, index: number): BookedLine => ({
  lineNo: textAt(line, 'orderLineNo') || String(index + 1),
  itemCode: textAt(line, 'itemCode'),
  quantity: Number(textAt(line, 'planQty')),
});

const textsOf = (node: Node): Record<string, string> =>
  Object.fromEntries(Object.keys(node).map((name) => [name, textAt(node, name)]));
