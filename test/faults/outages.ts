import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../../bench/instance.ts';
import { between, shuffled, type Random } from './seeded.ts';

export type AppName = 'api' | 'worker' | 'relay';
export type Target = AppName | 'mongo' | 'temporal';
export const TARGETS: readonly Target[] = ['api', 'worker', 'relay', 'mongo', 'temporal'];

export interface Outage {
  target: Target;
  /** Until then everything runs. */
  pauseMs: number;
  downMs: number;
}

/** Each process so many times, in an order and with pauses that follow from the seed. */
export const planOutages = (random: Random, rounds: number, pauseMs: readonly [number, number]): Outage[] =>
  Array.from({ length: rounds }, () => shuffled(random, TARGETS))
    .flat()
    .map((target) => ({ target, pauseMs: between(random, ...pauseMs), downMs: between(random, 300, 4000) }));

export interface OutageRecord {
  target: Target;
  downMs: number;
  /** From the start of the process until every process said that it was ready again. */
  recoveryMs: number;
}

/** Kills, waits, starts again where it was, and waits until all are ready. `meanwhile` looks at the others while it is down. */
export const suffer = async (
  instance: Instance<AppName>,
  { target, downMs }: Pick<Outage, 'target' | 'downMs'>,
  signal: AbortSignal,
  meanwhile: (downUntil: number) => Promise<void> = async () => undefined,
): Promise<OutageRecord> => {
  const member = instance.member(target);
  await member.kill();
  const killedAt = Date.now();
  await meanwhile(killedAt + downMs);
  await sleep(Math.max(0, killedAt + downMs - Date.now()), undefined, { signal });
  const startedAt = Date.now();
  await member.start();
  await Promise.all((['api', 'worker', 'relay'] as const).map((name) => instance.untilReady(name)));
  return { target, downMs: startedAt - killedAt, recoveryMs: Date.now() - startedAt };
};
