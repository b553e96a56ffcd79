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
  /** Long enough to look at what callers are told meanwhile. */
  isLong: boolean;
}

export interface OutagePlan {
  /** How often each process is killed. */
  rounds: number;
  pauseMs: readonly [number, number];
  downMs: readonly [number, number];
  /** One more of each server. */
  longMs: { temporal: number; mongo: number };
}

/** Each process so many times, in an order and with pauses that follow from the seed; the long ones after the first round. */
export const planOutages = (random: Random, { rounds, pauseMs, downMs, longMs }: OutagePlan): Outage[] => {
  const short = (target: Target): Outage => ({
    target,
    pauseMs: between(random, ...pauseMs),
    downMs: between(random, ...downMs),
    isLong: false,
  });
  const long = Object.entries(longMs).map(([target, ms]): Outage => ({
    ...short(target as Target),
    downMs: ms,
    isLong: true,
  }));
  const round = () => shuffled(random, TARGETS).map(short);
  return [...round(), ...long, ...Array.from({ length: rounds - 1 }, round).flat()];
};

export interface OutageRecord {
  target: Target;
  downMs: number;
  /** From the start of the process until every process said that it was ready again. */
  recoveryMs: number;
}

/** Kills, waits, starts again where it was, and waits until all are ready; `meanwhile` runs while it is down. */
export const suffer = async (
  instance: Instance<AppName>,
  { target, downMs }: Pick<Outage, 'target' | 'downMs'>,
  signal: AbortSignal,
  meanwhile: (downUntil: number) => Promise<void>,
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
