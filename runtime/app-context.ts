import type { Connection } from 'mongoose';
import type { Config } from './config.ts';
import type { Keyring } from './keyring.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { TemporalLink } from './temporal.ts';

/** What one process has once, whatever roles it plays. */
export interface AppContext {
  config: Config;
  logger: Logger;
  keyring: Keyring;
  mongo: Connection;
  temporal: TemporalLink;
  metrics: Metrics;
}

/** A role that is serving; `stop` takes no new work and waits for what is under way. */
export interface RunningRole {
  stop(): Promise<void>;
}

export type StartRole = (context: AppContext) => Promise<RunningRole>;
