import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock, type Lock } from './lock-file.ts';
import { endProcess, isRunning, type ProcessIdentity } from './process-identity.ts';
import type { Say } from './say.ts';

export type PortName = 'api' | 'temporal' | 'ui' | 'mongo';
type ProcessName = 'app' | 'temporal' | 'mongo';

interface Notes {
  ports: Partial<Record<PortName, number>>;
  processes: Partial<Record<ProcessName, ProcessIdentity>>;
}

const LEFTOVER_GRACE_MS = 10_000;

/** The folder that one instance lives in: who uses it now, with which ports, and what an instance left running. */
export class DataFolder {
  readonly path: string;
  readonly #lock: Lock;
  readonly #notes: Notes;

  private constructor(path: string, lock: Lock) {
    this.path = path;
    this.#lock = lock;
    this.#notes = this.#read();
  }

  /** Throws, naming the other process, when an instance uses the folder already. */
  static open(path: string): DataFolder {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lock = tryLock(join(path, 'lock'));
    if ('heldBy' in lock)
      throw new Error(
        `another OrderHub (process ${lock.heldBy.pid}) already runs on ${path}. Stop it, or set ORDERHUB_DATA and ORDERHUB_PORT for a second one.`,
      );
    return new DataFolder(path, lock);
  }

  /** Servers of an instance that was killed still hold their files; they are ended in order before new ones start. */
  async endLeftovers(say: Say): Promise<void> {
    const names: ProcessName[] = ['app', 'mongo', 'temporal'];
    for (const name of names) {
      const left = this.#notes.processes[name];
      if (!left || !isRunning(left)) continue;
      say(`${name}: ending process ${left.pid}, left over from an earlier start`);
      await endProcess(left, LEFTOVER_GRACE_MS);
    }
    this.#notes.processes = {};
    this.#write();
  }

  portOf(name: PortName): number | undefined {
    return this.#notes.ports[name];
  }

  rememberPort(name: PortName, port: number): void {
    this.#notes.ports[name] = port;
    this.#write();
  }

  rememberProcess(name: ProcessName, identity: ProcessIdentity): void {
    this.#notes.processes[name] = identity;
    this.#write();
  }

  forgetProcess(name: ProcessName): void {
    delete this.#notes.processes[name];
    this.#write();
  }

  close(): void {
    this.#lock.release();
  }

  #read(): Notes {
    try {
      return JSON.parse(readFileSync(join(this.path, 'instance.json'), 'utf8')) as Notes;
    } catch {
      return { ports: {}, processes: {} };
    }
  }

  #write(): void {
    const file = join(this.path, 'instance.json');
    writeFileSync(`${file}.part`, JSON.stringify(this.#notes, null, 2));
    renameSync(`${file}.part`, file);
  }
}
