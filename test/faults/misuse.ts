import { randomUUID } from 'node:crypto';
import { receiverOf, type Planted } from './planted.ts';

interface Request {
  /** For the report. */
  name: string;
  method: 'GET' | 'POST';
  path: string;
  body?: string;
  headers?: Record<string, string>;
}

const json = (body: unknown): string => JSON.stringify(body);

/** Ways in which callers send buyers' data where it is refused, or where it is not expected. `order` is one that is there. */
export const misuses = (
  person: Planted,
  { order, newOrder }: { order: string; newOrder: Record<string, unknown> },
): Request[] => {
  const { name, phone, address } = person;
  const receiver = receiverOf(person);
  const post = (what: string, body: string, path = '/v1/orders'): Request => ({
    name: what,
    method: 'POST',
    path,
    body,
  });
  const fresh = (more: Record<string, unknown>) =>
    json({ ...newOrder, platformOrderId: randomUUID(), receiver, ...more });
  return [
    post('JSON that breaks off', `{"receiver": {"name": "${name}", "phone": "${phone}", "address": "${address}", `),
    post('JSON with a stray quote', `{"receiver": {"name": "${name}"", "phone": "${phone}"}}`),
    post('a body that is a text', json(`${name} ${phone} ${address}`)),
    post('a receiver that is a text', fresh({ receiver: `${name} ${phone} ${address}` })),
    post('a receiver that is a list', fresh({ receiver: [name, phone, address] })),
    post('a number for a phone', fresh({ receiver: { ...receiver, phone: Number(phone) } })),
    post('a phone with letters', fresh({ receiver: { ...receiver, phone: `call ${phone}` } })),
    post(
      'unknown fields',
      fresh({ receiver: { ...receiver, nickname: name, phone2: phone }, contact: phone, note: address }),
    ),
    post('an unknown shop', fresh({ shopId: 'nowhere' })),
    post('another currency', fresh({ currency: 'USD' })),
    post('a sum that is wrong', fresh({ payable: 1 })),
    post('other content under a known id', json({ ...newOrder, receiver })),
    post('a body that is too large', fresh({ receiver: { ...receiver, address: address.repeat(20_000) } })),
    post(
      'an account that is too long',
      fresh({
        payments: [
          {
            paymentId: 'p1',
            method: 'bank',
            amount: 1,
            paidAt: new Date().toISOString(),
            account: { name, number: phone.repeat(9), bank: address },
          },
        ],
      }),
    ),
    { ...post('another type of content', `${name};${phone};${address}`), headers: { 'content-type': 'text/csv' } },
    { ...post('a key that is a phone', fresh({})), headers: { 'idempotency-key': phone } },
    post('an address without the receiver around it', json(receiver), `/v1/orders/${order}/address`),
    post(
      'an address with unknown fields',
      json({ receiver: { ...receiver, mobile: phone } }),
      `/v1/orders/${order}/address`,
    ),
    post('a hold named by a phone', json({ code: phone, detail: 'x' }), `/v1/orders/${order}/hold`),
    post(
      'a payment with a phone for an amount',
      json({ paymentId: 'p9', method: 'bank', amount: phone, paidAt: name }),
      `/v1/orders/${order}/payments`,
    ),
    post('a reveal of what is not there', json({ fields: [name], reason: 'x' }), `/v1/orders/${order}/reveal`),
    { name: 'a search by phone', method: 'GET', path: `/v1/orders?q=${phone}` },
    { name: 'a search by name', method: 'GET', path: `/v1/orders?q=${encodeURIComponent(name)}` },
    {
      name: 'a filter that is a phone',
      method: 'GET',
      path: `/v1/orders?status=${phone}&placedFrom=${encodeURIComponent(name)}`,
    },
    {
      name: 'an unknown filter',
      method: 'GET',
      path: `/v1/orders?phone=${phone}&address=${encodeURIComponent(address)}`,
    },
    { name: 'a phone for an id', method: 'GET', path: `/v1/orders/${phone}` },
    { name: 'a name for an id', method: 'GET', path: `/v1/orders/${encodeURIComponent(name)}` },
    { name: 'an address for a path', method: 'GET', path: `/v1/${encodeURIComponent(address)}` },
  ];
};

/** Sends them as they are; the answers' bodies and headers are what callers and proxies get to see. */
export const misuse = async (
  url: string,
  apiKey: string,
  { method, path, body, headers }: Request,
): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, text: `${json([...answer.headers])}\n${await answer.text()}` };
};
