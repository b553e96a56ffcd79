import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../search-attributes.ts';
import { startManagedProcess, type ManagedProcess } from './managed-process.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { chooseFreePort, withFreePorts } from './ports.ts';
import { temporalSources, type ToolContext } from './temporal-tools.ts';
import { useFirst } from './tool-source.ts';

export interface TemporalServerOptions extends ToolContext {
  /** Keeps the SQLite file. */
  folder: string;
  logFile: string;
  onSpawn?: ((identity: ProcessIdentity) => void) | undefined;
  /** See `ManagedProcessOptions`. */
  discard?: string | undefined;
  port?: number | undefined;
  /** The UI's port; `false` for no UI. */
  uiPort?: number | false | undefined;
  namespace?: string | undefined;
  /** Where the browser that shows the UI reaches the codec endpoint. */
  codecEndpoint?: string | undefined;
}

export interface TemporalServer {
  kind: string;
  address: string;
  port: number;
  uiPort?: number | undefined;
  uiUrl?: string | undefined;
  process: ManagedProcess;
}

const REMEDY =
  'Put the Temporal CLI `temporal` on PATH (https://docs.temporal.io/cli), or point TEMPORAL_ADDRESS at a server.';

const flags = (options: TemporalServerOptions, port: number, uiPort: number | false): string[] =>
  [
    ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
    ['--db-filename', join(options.folder, 'temporal.db')],
    ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ['--dynamic-config-value', 'history.maxInFlightUpdates=200'],
    Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    options.namespace && options.namespace !== 'default' ? ['--namespace', options.namespace] : [],
    uiPort === false ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch'],
    uiPort !== false && options.codecEndpoint ? ['--ui-codec-endpoint', options.codecEndpoint] : [],
  ].flat();

/** Starts Temporal's development server on a SQLite file that survives restarts and kills. */
export const startTemporalServer = async (options: TemporalServerOptions): Promise<TemporalServer> => {
  const { folder, logFile, say } = options;
  mkdirSync(folder, { recursive: true });
  return useFirst(
    'Temporal',
    temporalSources(options),
    say,
    REMEDY,
    ({ kind, program }) =>
      // Besides ours, it chooses ports of its own that may be taken.
      withFreePorts(async () => {
        const port = options.port ?? (await chooseFreePort());
        const uiPort = options.uiPort ?? (await chooseFreePort());
        const process = await startManagedProcess({
          name: 'Temporal',
          command: program,
          args: flags(options, port, uiPort),
          logFile,
          onSpawn: options.onSpawn,
          discard: options.discard,
          isReady: (log) => /^(Temporal )?Server:\s/m.test(log()),
        });
        const address = `127.0.0.1:${port}`;
        if (uiPort === false) return { kind, address, port, process };
        return { kind, address, port, uiPort, uiUrl: `http://127.0.0.1:${uiPort}`, process };
      }),
    options.signal,
  );
};
