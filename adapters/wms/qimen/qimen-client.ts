import { AdapterError } from '../../../domain/failures.ts';
import type { DeliveryOrder, WmsAccount, WmsAnswer, WmsClient } from '../wms-port.ts';
import { createRequest } from './create-request.ts';
import { saysKnownBefore, saysNotKnown, technicalKindOf } from './failure-words.ts';
import { SYSTEM, callQimen, type Call, type CallAnswer, type CallOptions } from './qimen-call.ts';
import { readStoredDelivery, sameGoods, type StoredDelivery } from './stored-delivery.ts';

const DONE: WmsAnswer = { state: 'done' };
const OVER = ['CANCELED', 'CLOSED', 'REJECT'];

/** A warehouse that is worked over Qimen. A call that had no answer may be made again, with the same code. */
export class QimenClient implements WmsClient {
  readonly #account: WmsAccount;
  readonly #options: CallOptions;

  constructor(account: WmsAccount, options: Partial<CallOptions> = {}) {
    this.#account = account;
    this.#options = { timeoutMs: 10_000, now: () => new Date(), ...options };
  }

  async create(order: DeliveryOrder, signal?: AbortSignal): Promise<WmsAnswer> {
    const request = createRequest(order, this.#account, this.#options.now());
    const answer = await this.#call({ method: 'deliveryorder.create', request, isChanging: true, signal });
    if (answer.isDone) return DONE;
    if (!saysKnownBefore(answer)) return refusedFor(answer, order);
    const stored = await this.#stored(order.code, signal);
    if (!stored || !sameGoods(stored, order.lines)) return refused(`it knows ${order.code} with other goods`);
    if (OVER.includes(stored.status)) return refused(`it has ended ${order.code}: ${stored.status}`);
    return DONE;
  }

  async stop(code: string, reason: string, signal?: AbortSignal): Promise<WmsAnswer> {
    const { customerId, warehouseId } = this.#account;
    const answer = await this.#call({
      method: 'order.cancel',
      request: {
        warehouseCode: warehouseId,
        ownerCode: customerId,
        orderCode: code,
        orderType: 'JYCK',
        cancelReason: reason.slice(0, 200),
      },
      isChanging: true,
      signal,
    });
    if (answer.isDone) return DONE;
    // What was stopped before, or never came, is refused by many systems in words of their own: its state decides.
    const stored = await this.#stored(code, signal);
    if (!stored && saysNotKnown(answer)) return DONE;
    return stored && OVER.includes(stored.status) ? DONE : refusedFor(answer);
  }

  /** Undefined when it is not known there. */
  async #stored(code: string, signal?: AbortSignal): Promise<StoredDelivery | undefined> {
    const { customerId, warehouseId } = this.#account;
    const request = { ownerCode: customerId, warehouseCode: warehouseId, orderCode: code, page: 1, pageSize: 100 };
    const answer = await this.#call({ method: 'deliveryorder.query', request, isChanging: false, signal });
    if (!answer.isDone) {
      if (saysNotKnown(answer)) return undefined;
      throw new AdapterError(SYSTEM, 'unavailable', `deliveryorder.query: ${answer.code}`);
    }
    const stored = readStoredDelivery(answer.fields);
    if (!stored) throw new AdapterError(SYSTEM, 'unavailable', 'deliveryorder.query: the answer cannot be read');
    return stored.code === code ? stored : undefined;
  }

  async #call(call: Call): Promise<CallAnswer> {
    const answer = await callQimen(this.#account, this.#options, call);
    const kind = answer.isDone || saysKnownBefore(answer) ? undefined : technicalKindOf(answer);
    if (kind) throw new AdapterError(SYSTEM, kind, `${call.method}: ${plainCode(answer.code)}`);
    return answer;
  }
}

const refused = (detail: string): WmsAnswer => ({ state: 'refused', detail });

/** Free words of a warehouse may quote the receiver; what the order's record keeps may not. */
const refusedFor = ({ code, message }: CallAnswer, order?: DeliveryOrder): WmsAnswer => {
  const { name = '', phone = '', address = '', token = '' } = order?.receiver ?? {};
  let words = message;
  for (const personal of [token, address, phone, name])
    if (personal.length > 1) words = words.replaceAll(personal, '***');
  words = words.replace(/\d{7,}/g, '***');
  return refused([plainCode(code), words].filter((part) => part !== '').join(': ') || 'it gives no reason');
};

const plainCode = (code: string): string => (/^[\w.-]*$/.test(code) ? code : 'failure');
