import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMongoServer } from '../runtime/embedded/mongo-server.ts';
import { chooseFreePort } from '../runtime/embedded/ports.ts';
import type { Say } from '../runtime/embedded/say.ts';
import { startTemporalServer } from '../runtime/embedded/temporal-server.ts';
import { toolsFolder, type Env } from '../runtime/embedded/tool-paths.ts';
import { buildWorkflows } from '../scripts/build-workflows.ts';
import { Member } from './member.ts';
import { startNodeProcess } from './node-process.ts';

/** One process of OrderHub: the roles it plays, and what is different from usual. */
export interface ProcessSpec {
  roles: string;
  /** In place of `main.ts`; it goes on to that by itself. */
  entry?: string;
  env?: Env;
}

export interface InstanceOptions<P extends string> {
  /** Fresh; everything of the instance is in it. */
  folder: string;
  env: Env;
  say: Say;
  /** The one that plays `api` is reached at `url`. */
  processes: Record<P, ProcessSpec>;
  logLevel?: string;
}

type ServerName = 'mongo' | 'temporal';

const READY_WITHIN_MS = 90_000;

/**
 * A whole OrderHub on fresh data and on ports of its own, with each process apart, so that a process can be killed and
 * started again where it was. For the bench and the fault runs.
 */
export class Instance<P extends string> {
  readonly url: string;
  readonly adminPassword: string;
  readonly folder: string;
  readonly mongo: { uri: string; kind: string };
  readonly temporalAddress: string;
  readonly members: ReadonlyMap<P | ServerName, Member>;
  readonly #ports: Record<P, number>;

  private constructor(fields: {
    api: P;
    adminPassword: string;
    folder: string;
    mongo: { uri: string; kind: string };
    temporalAddress: string;
    members: ReadonlyMap<P | ServerName, Member>;
    ports: Record<P, number>;
  }) {
    this.url = `http://127.0.0.1:${fields.ports[fields.api]}`;
    this.adminPassword = fields.adminPassword;
    this.folder = fields.folder;
    this.mongo = fields.mongo;
    this.temporalAddress = fields.temporalAddress;
    this.members = fields.members;
    this.#ports = fields.ports;
  }

  /** Waits until every process is ready. Throws when a server cannot be had on this machine. */
  static async start<P extends string>(options: InstanceOptions<P>): Promise<Instance<P>> {
    const { folder, processes } = options;
    mkdirSync(join(folder, 'logs'), { recursive: true });
    const { members, mongo, temporalAddress } = await startServers(options);
    const adminPassword = randomBytes(12).toString('base64url');
    const bundle = join(folder, 'workflows.js');
    const names = Object.keys(processes) as P[];
    const ports = {} as Record<P, number>;
    for (const name of names) ports[name] = await chooseFreePort();
    const all = new Map<P | ServerName, Member>(members);
    const api = names.find((name) => processes[name].roles.split(',').includes('api')) ?? names[0];
    if (api === undefined) throw new Error('an instance needs a process');
    const instance = new Instance({ api, adminPassword, folder, mongo, temporalAddress, members: all, ports });
    // Before others who clean up at the end, for they remove the folder.
    process.prependOnceListener('exit', () => instance.discard());
    try {
      await buildWorkflows(bundle);
      const common = {
        ...options.env,
        NODE_ENV: 'production',
        MONGODB_URI: mongo.uri,
        TEMPORAL_ADDRESS: temporalAddress,
        ORDERHUB_DATA: join(folder, 'data'),
        ORDERHUB_ADMIN_PASSWORD: adminPassword,
        ORDERHUB_LOG_LEVEL: options.logLevel ?? 'error',
        ORDERHUB_WORKFLOW_BUNDLE: bundle,
      };
      for (const name of names) {
        const { roles, entry, env } = processes[name];
        const start = () =>
          startNodeProcess({
            ...(entry === undefined ? {} : { entry }),
            args: ['--roles', roles],
            env: { ...common, ...env, ORDERHUB_PORT: String(ports[name]) },
            logFile: join(folder, 'logs', `${name}.log`),
          });
        const member = new Member(name, start);
        all.set(name, member);
        await member.start();
      }
      await Promise.all(names.map((name) => instance.untilReady(name)));
      return instance;
    } catch (error) {
      instance.discard();
      throw error;
    }
  }

  member(name: P | ServerName): Member {
    const member = this.members.get(name);
    if (!member) throw new Error(`there is no process ${name}`);
    return member;
  }

  /** Where a process answers health, readiness and metrics. */
  urlOf(name: P): string {
    return `http://127.0.0.1:${this.#ports[name]}`;
  }

  async isReady(name: P): Promise<boolean> {
    const answer = await fetch(`${this.urlOf(name)}/readyz`, { signal: AbortSignal.timeout(5000) }).catch(
      () => undefined,
    );
    return answer?.ok ?? false;
  }

  async untilReady(name: P, withinMs: number = READY_WITHIN_MS): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(await this.isReady(name))) {
      if (Date.now() > deadline)
        throw new Error(`${name} was not ready within ${withinMs / 1000} s, see ${this.folder}/logs`);
      await sleep(50);
    }
  }

  /** Ends every process at once: nothing of them is needed again. */
  discard(): void {
    for (const member of this.members.values()) member.discard();
  }
}

const startServers = async ({ folder, env, say }: Pick<InstanceOptions<string>, 'folder' | 'env' | 'say'>) => {
  const context = { env, say, tools: toolsFolder(env, folder) };
  const logOf = (name: ServerName) => join(folder, 'logs', `${name}.log`);
  const ports = { mongo: await chooseFreePort(), temporal: await chooseFreePort() };
  let mongo = { uri: '', kind: '' };
  let temporalAddress = '';
  const members = new Map<ServerName, Member>([
    [
      'mongo',
      new Member('mongo', async () => {
        const server = await startMongoServer({
          ...context,
          folder: join(folder, 'mongo'),
          logFile: logOf('mongo'),
          port: ports.mongo,
        });
        mongo = { uri: server.uri, kind: server.kind };
        return server.process;
      }),
    ],
    [
      'temporal',
      new Member('temporal', async () => {
        const place = { folder: join(folder, 'temporal'), logFile: logOf('temporal'), port: ports.temporal };
        const server = await startTemporalServer({ ...context, ...place, uiPort: false });
        temporalAddress = server.address;
        return server.process;
      }),
    ],
  ]);
  const outcomes = await Promise.allSettled([...members.values()].map((member) => member.start()));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    for (const member of members.values()) member.discard();
    throw failed.reason;
  }
  return { members, mongo, temporalAddress };
};
