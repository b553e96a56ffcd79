import { EventEmitter } from 'node:events';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chinaTime, signatureOf, writeBody } from '../simulators/wms/qimen-protocol.ts';
import { reportBody } from '../simulators/wms/report-message.ts';

export const WMS = { appKey: 'bench-wms', secret: 'bench-secret', customerId: 'bench' };

const TAKEN = '<response><flag>success</flag><code>0</code><message>ok</message></response>';
const TOLD = '{"logistics_offline_send_response":{"shipping":{"is_success":true}}}';
const CONNECTIONS = new Agent({ keepAlive: true, maxSockets: 64 });

export interface SentLine {
  lineId: string;
  skuCode: string;
  quantity: number;
}

/**
 * A warehouse's system and a platform at their cheapest: they say yes over HTTP and keep nothing, so that what is measured
 * is not theirs. The simulators of both check, remember and fail; they would cost the machine as much as the order.
 */
export class LoopbackOutside {
  readonly #server = createServer((req, res) => void this.#answer(req).then((text) => res.end(text)));
  readonly #heard = new EventEmitter();

  constructor() {
    this.#heard.setMaxListeners(0);
  }

  /** Its origin. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `<code>` was handed over, or the platform was told of `<trade>`. Begin to wait before the cause. */
  hears(codeOrTrade: string): Promise<void> {
    return new Promise((resolve) => this.#heard.once(codeOrTrade, resolve));
  }

  /** The warehouse reports everything as sent, in one parcel; throws unless that is taken. */
  async report(
    callbackUrl: string,
    { code, warehouseId, lines }: { code: string; warehouseId: string; lines: SentLine[] },
  ): Promise<void> {
    const at = Date.now();
    const items = lines.map(({ lineId, skuCode, quantity }) => ({ lineNo: lineId, itemCode: skuCode, quantity }));
    const parcels = [{ logisticsCode: 'SF', expressCode: `SF-${code}`, items }];
    const content = { kind: 'confirm' as const, parcels, isFinal: true };
    const delivery = { code, warehouseId, lines: items } as unknown as Parameters<typeof reportBody>[0];
    const booked = { number: `${code}-C1`, at, content } as unknown as Parameters<typeof reportBody>[1];
    const body = writeBody('request', reportBody(delivery, booked, 'xml'), 'xml');
    const url = new URL(callbackUrl);
    const query = {
      method: 'deliveryorder.confirm',
      app_key: WMS.appKey,
      customerId: WMS.customerId,
      timestamp: chinaTime(at),
      format: 'xml',
      v: '2.0',
      sign_method: 'md5',
    };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    url.searchParams.set('sign', signatureOf(url.searchParams, body, WMS.secret));
    const answer = await post(url, body);
    if (!answer.includes('success')) throw new Error(`the report of ${code} was not taken: ${answer}`);
  }

  async #answer(req: IncomingMessage): Promise<string> {
    const body = await textOf(req);
    if (req.url?.startsWith('/router/rest')) {
      const tid = new URLSearchParams(body).get('tid') ?? '';
      this.#heard.emit(tid);
      return TOLD;
    }
    const code = /<deliveryOrderCode>([^<]+)</.exec(body)?.[1] ?? '';
    this.#heard.emit(code);
    return TAKEN;
  }
}

const textOf = async (stream: AsyncIterable<Buffer>): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
};

const post = (url: URL, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'text/xml; charset=utf-8', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', headers, agent: CONNECTIONS }, (res) => void textOf(res).then(resolve));
    sent.on('error', reject);
    sent.end(body);
  });
