import { setTimeout as sleep } from 'node:timers/promises';
import type { Claim } from './proof.ts';

interface ProbeOptions {
  url: string;
  apiKey: string;
  /** A new order each time it is called. */
  order: () => unknown;
  signal: AbortSignal;
}

/** An outage must be told of within this. */
const TOLD_WITHIN_MS = 6000;
/** Drivers and the cached readiness need a moment to notice. */
const NOTICED_AFTER_MS = 4000;
const EVERY_MS = 1500;

/** What callers are told while a server is away; asked again and again until it comes back. */
export const probeOutage = async (
  dependency: 'mongodb' | 'temporal',
  { url, apiKey, order, signal }: ProbeOptions,
  downUntil: number,
  claim: Claim,
): Promise<void> => {
  await sleep(NOTICED_AFTER_MS, undefined, { signal });
  do {
    await probeReadiness(dependency, url, claim);
    await probeIntake(dependency, { url, apiKey, body: order() }, claim);
    if (dependency === 'mongodb') await probeRead({ url, apiKey }, claim);
    await sleep(EVERY_MS, undefined, { signal });
  } while (Date.now() < downUntil - TOLD_WITHIN_MS);
};

const probeReadiness = async (dependency: string, url: string, claim: Claim): Promise<void> => {
  claim.examined += 1;
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(TOLD_WITHIN_MS) }).catch(() => undefined);
  const report = (await answer?.json().catch(() => undefined)) as { dependencies?: Record<string, string> } | undefined;
  claim.same(`status of /readyz without ${dependency}`, answer?.status, 503);
  claim.same(`${dependency} in /readyz`, report?.dependencies?.[dependency], 'down');
};

const probeIntake = async (
  dependency: string,
  { url, apiKey, body }: { url: string; apiKey: string; body: unknown },
  claim: Claim,
): Promise<void> => {
  const answer = await ask('POST', `${url}/v1/orders`, apiKey, body);
  const name = `POST /v1/orders without ${dependency}`;
  claim.examined += 1;
  if (answer?.status === 201 && dependency === 'temporal') return;
  judge503(name, answer, claim);
};

const probeRead = async ({ url, apiKey }: { url: string; apiKey: string }, claim: Claim): Promise<void> => {
  claim.examined += 1;
  judge503('GET /v1/orders without mongodb', await ask('GET', `${url}/v1/orders?limit=1`, apiKey), claim);
};

interface Told {
  status: number;
  type: string;
  retryAfter: string | null;
  code: string | undefined;
}

const ask = async (method: string, url: string, apiKey: string, body?: unknown): Promise<Told | undefined> => {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const answer = await fetch(url, {
    method,
    headers,
    signal: AbortSignal.timeout(TOLD_WITHIN_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => undefined);
  if (!answer) return undefined;
  const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
  return {
    status: answer.status,
    type: answer.headers.get('content-type') ?? '',
    retryAfter: answer.headers.get('retry-after'),
    code,
  };
};

const judge503 = (name: string, answer: Told | undefined, claim: Claim): void => {
  if (!answer) {
    claim.problems.push(`${name} was not answered within ${TOLD_WITHIN_MS / 1000} s`);
    return;
  }
  claim.same(`status of ${name}`, answer.status, 503);
  claim.same(`code of ${name}`, answer.code, 'unavailable');
  claim.holds(answer.type.startsWith('application/problem+json'), `${name} is answered with ${answer.type}`);
  claim.holds(answer.retryAfter !== null, `${name} is answered without Retry-After`);
};
