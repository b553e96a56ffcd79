import { setTimeout as sleep } from 'node:timers/promises';
import type { Outside, Steering } from '../../../bench/simulator-process.ts';
import type { FaultInput as TaobaoFault } from '../../../simulators/channels/taobao/faults.ts';
import type { FaultInput as WmsFault } from '../../../simulators/wms/wms-faults.ts';
import { between, type Random } from '../seeded.ts';

const TELL = 'taobao.logistics.offline.send';
const LIST = 'taobao.trades.sold.increment.get';

const TAOBAO: readonly TaobaoFault[] = [
  { kind: 'throttle', seconds: 2, times: 1 },
  { kind: 'throttle', method: TELL, seconds: 3, times: 1 },
  { kind: 'expire-session', times: 1 },
  { kind: 'lost-answer', method: TELL, times: 3 },
  { kind: 'lost-answer', times: 2 },
  { kind: 'cut', method: TELL, times: 2 },
  { kind: 'cut', method: LIST, times: 2 },
  { kind: 'bad-signature', method: LIST, times: 1 },
  { kind: 'not-json', times: 2 },
  { kind: 'http-500', times: 3 },
  { kind: 'isp', times: 3 },
  { kind: 'down', times: 3 },
  { kind: 'slow', ms: 3000, times: 2 },
  { kind: 'hang', method: TELL, times: 1 },
];

const CREATE = 'deliveryorder.create';
const CONFIRM = 'deliveryorder.confirm';
const WMS: readonly WmsFault[] = [
  { kind: 'lost-answer', method: CREATE, times: 3 },
  { kind: 'lost-answer', method: 'order.cancel', times: 2 },
  { kind: 'cut-short', method: CREATE, times: 2 },
  { kind: 'http-500', times: 3 },
  { kind: 'busy', times: 3 },
  { kind: 'down', times: 3 },
  { kind: 'slow', delayMs: 3000, times: 2 },
  { kind: 'hang', method: CREATE, times: 1 },
  { kind: 'bad-signature', method: CONFIRM, times: 1 },
  { kind: 'duplicate-report', times: 4 },
  { kind: 'duplicate-report', method: CONFIRM, times: 4 },
  { kind: 'out-of-order', times: 3, delayMs: 700 },
];

export interface WeatherOptions {
  /** Between two things that go wrong. */
  pauseMs: readonly [number, number];
  /** Whether calls are left without any answer at times: each costs its caller's whole patience. */
  hangs: boolean;
}

export interface Weather {
  /** How often each system was told to fail, by kind. */
  counts: Record<string, number>;
  /** From then on the outside does what it should. */
  clear(): Promise<void>;
}

/** What goes wrong outside, one thing after the other as the seed says; some trades are touched and say nothing new. */
export const startBadWeather = (
  outside: Outside,
  random: Random,
  { pauseMs, hangs }: WeatherOptions,
  signal: AbortSignal,
): Weather => {
  const happens = ({ kind }: { kind: string }) => hangs || kind !== 'hang';
  const [ofPlatform, ofWarehouse] = [TAOBAO.filter(happens), WMS.filter(happens)];
  const counts: Record<string, number> = {};
  const over = new AbortController();
  const either = AbortSignal.any([over.signal, signal]);
  const standing = new Map<string, number>();
  // One at a time for each system: what is outside fails often, not always.
  const strike = async (name: string, steering: Steering, fault: TaobaoFault | WmsFault) => {
    const before = standing.get(name);
    if (before !== undefined) await steering.delete(name === 'platform' ? `/faults/${before}` : '/faults');
    const { id } = await steering.post<{ id: number }>('/faults', fault);
    standing.set(name, id);
    counts[`${name} ${fault.kind}`] = (counts[`${name} ${fault.kind}`] ?? 0) + 1;
  };
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const blow = async () => {
    while (!either.aborted) {
      // Which they are follows from the seed, also while nobody answers.
      const [isPlatform, first, second, pause] = [
        random() < 0.5,
        pick(ofPlatform),
        pick(ofWarehouse),
        between(random, ...pauseMs),
      ];
      await (isPlatform ? strike('platform', outside.taobao, first) : strike('warehouse', outside.wms, second)).catch(
        () => undefined,
      );
      await outside.taobao.post('/touch', { count: 2 }).catch(() => undefined);
      await sleep(pause, undefined, { signal: either }).catch(() => undefined);
    }
  };
  const blowing = blow();
  return {
    counts,
    async clear() {
      over.abort();
      await blowing;
      await outside.taobao.delete('/faults');
      await outside.wms.delete('/faults');
    },
  };
};
