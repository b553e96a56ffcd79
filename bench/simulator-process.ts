import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseFreePort } from '../runtime/embedded/ports.ts';
import type { Env } from '../runtime/embedded/tool-paths.ts';
import type { TaobaoSimulatorOptions } from '../simulators/channels/taobao/taobao-simulator.ts';
import type { WmsSimulatorOptions } from '../simulators/wms/wms-simulator.ts';
import { Member } from './member.ts';
import { startNodeProcess } from './node-process.ts';

export interface OutsideOptions {
  /** Of the instance that it is outside of: books and log go there. */
  folder: string;
  env: Env;
  taobao: TaobaoSimulatorOptions;
  wms?: WmsSimulatorOptions;
}

export interface Outside {
  /** Kills and starts it like any process of the instance; its ports and books stay. */
  member: Member;
  taobao: Steering;
  wms: Steering;
  untilServed(signal: AbortSignal): Promise<void>;
}

/** An answer of a simulator's steering that is no success. */
export class SteeringRefused extends Error {
  override name = 'SteeringRefused';
  readonly status: number;

  constructor(what: string, status: number, text: string) {
    super(`${what}: ${status} ${text.slice(0, 300)}`);
    this.status = status;
  }
}

/** `/_control` of one simulator. */
export class Steering {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  get = <T>(path: string): Promise<T> => this.#call<T>('GET', path);
  post = <T>(path: string, body: unknown = {}): Promise<T> => this.#call<T>('POST', path, body);
  delete = <T>(path: string): Promise<T> => this.#call<T>('DELETE', path);

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.origin}/_control${path}`, {
      method,
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new SteeringRefused(`${method} ${path}`, answer.status, text);
    return JSON.parse(text) as T;
  }
}

/** The platform and a warehouse's system in a process of their own, with books that outlive it. */
export const startOutside = async ({ folder, env, taobao, wms }: OutsideOptions): Promise<Outside> => {
  const data = join(folder, 'outside');
  mkdirSync(data, { recursive: true });
  const config = join(data, 'config.json');
  writeFileSync(config, JSON.stringify({ taobao, ...(wms ? { wms } : {}) }), { mode: 0o600 });
  const ports = { taobao: await chooseFreePort(), wms: await chooseFreePort() };
  const args = ['--config', config, '--data', data, '--taobao-port', String(ports.taobao)];
  if (wms) args.push('--wms-port', String(ports.wms));
  const member = new Member('outside', () =>
    startNodeProcess({ entry: 'simulators/serve.ts', args, env, logFile: join(folder, 'logs', 'outside.log') }),
  );
  // Before others who clean up at the end, for they remove the folder.
  process.prependOnceListener('exit', () => member.discard());
  const outside: Outside = {
    member,
    taobao: new Steering(`http://127.0.0.1:${ports.taobao}`),
    wms: new Steering(`http://127.0.0.1:${ports.wms}`),
    async untilServed(signal) {
      const isServed = async () => {
        await outside.taobao.get('/faults');
        if (wms) await outside.wms.get('/faults');
      };
      for (;;)
        try {
          return await isServed();
        } catch {
          await sleep(50, undefined, { signal });
        }
    },
  };
  await member.start();
  await outside.untilServed(AbortSignal.timeout(30_000));
  return outside;
};
