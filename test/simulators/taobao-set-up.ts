import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import {
  startTaobaoSimulator,
  type TaobaoSimulator,
  type TaobaoSimulatorOptions,
} from '../../simulators/channels/taobao/taobao-simulator.ts';
import { gmt8, TopCaller, type TopParams } from './top-caller.ts';

export const APP = { appKey: '12345678', appSecret: 'app-secret' };
export const SELLERS = [
  { nick: 'alpha', sessionKey: 'session-alpha', refreshToken: 'refresh-alpha' },
  { nick: 'beta', sessionKey: 'session-beta', refreshToken: 'refresh-beta' },
];
export const CHANGED = 'taobao.trades.sold.increment.get';
export const DETAIL = 'taobao.trade.fullinfo.get';
export const SEND = 'taobao.logistics.offline.send';
export const MINUTE_MS = 60_000;

const started: TaobaoSimulator[] = [];
/** Gone when the file's tests are done. */
export const folder = mkdtempSync(join(tmpdir(), 'taobao-simulator-'));
after(async () => {
  await Promise.all(started.map((simulator) => simulator.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** A platform of the test's own, with callers for two sellers of one app. */
export const setUp = async (options: Partial<TaobaoSimulatorOptions> = {}) => {
  const simulator = await startTaobaoSimulator({ apps: [{ ...APP, sellers: SELLERS }], ...options });
  started.push(simulator);
  const caller = (session: string, app = APP) => new TopCaller(simulator.url, { ...app, session });
  return {
    simulator,
    control: simulator.control,
    caller,
    alpha: caller('session-alpha'),
    beta: caller('session-beta'),
  };
};

export const lastHour = (): TopParams => ({
  start_modified: gmt8(Date.now() - 60 * MINUTE_MS),
  end_modified: gmt8(Date.now()),
});

export interface Page {
  total_results?: number;
  has_next?: boolean;
  trades?: { trade: { tid_str: string; status: string; modified: string }[] };
}

export interface Messages {
  messages?: { tmc_message: { topic: string; content: string; user_nick: string }[] };
}

export const HEAD = 'tid_str,status,modified';
export const tidsOf = (page: Page): string[] => page.trades?.trade.map(({ tid_str: tid }) => tid) ?? [];

export const sendParams = (tid: string, outSid: string, more: TopParams = {}): TopParams => ({
  tid,
  out_sid: outSid,
  company_code: 'SF',
  ...more,
});
