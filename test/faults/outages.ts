import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../../bench/instance.ts';
import type { Member } from '../../bench/member.ts';
import { between, shuffled, type Random } from './seeded.ts';

export type AppName = 'api' | 'worker' | 'relay';
export type ServerName = 'mongo' | 'temporal';
/** `outside`: the simulators of a platform and a warehouse's system. */
export type Target = AppName | ServerName | 'outside';
export const TARGETS = ['api', 'worker', 'relay', 'mongo', 'temporal'] as const satisfies readonly Target[];

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
  /** One more of each that is named. */
  longMs: Partial<Record<Target, number>>;
}

/** Each process so many times, in an order and with pauses that follow from the seed; the long ones after the first round. */
export const planOutages = (
  random: Random,
  { rounds, pauseMs, downMs, longMs }: OutagePlan,
  targets: readonly Target[] = TARGETS,
): Outage[] => {
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
  const round = () => shuffled(random, targets).map(short);
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
  meanwhile: (downUntil: number) => Promise<void> = async () => {},
  outside?: Member,
): Promise<OutageRecord> => {
  const member = target === 'outside' ? outside : instance.member(target);
  if (!member) throw new Error(`there is no process ${target}`);
  await member.kill();
  const killedAt = Date.now();
  await meanwhile(killedAt + downMs);
  await sleep(Math.max(0, killedAt + downMs - Date.now()), undefined, { signal });
  const startedAt = Date.now();
  await member.start();
  await Promise.all((['api', 'worker', 'relay'] as const).map((name) => instance.untilReady(name)));
  return { target, downMs: startedAt - killedAt, recoveryMs: Date.now() - startedAt };
};
