import { execFile } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

/** How long a download may keep us waiting: until the host answers at all, and between two pieces of the file. */
export interface DownloadLimits {
  headMs: number;
  idleMs: number;
}

export const DOWNLOAD_LIMITS: DownloadLimits = { headMs: 3_000, idleMs: 15_000 };

const ORIGIN = 'https://temporal.download';

const reason = (error: unknown): string => {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
};

/** Fails within three seconds where there is no way to the host, as on a closed network. */
export const assertReachable = async (url: string, { headMs }: DownloadLimits): Promise<void> => {
  try {
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(headMs) });
  } catch (error) {
    throw new Error(`${new URL(url).host} cannot be reached (${reason(error)})`, { cause: error });
  }
};

const abortWhenIdle = (idleMs: number): { signal: AbortSignal; gotBytes: () => void; done: () => void } => {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(`no bytes for ${idleMs / 1000} s`));
  }, idleMs);
  return { signal: controller.signal, gotBytes: () => timer.refresh(), done: () => clearTimeout(timer) };
};

const saveTo = async (url: string, file: string, idleMs: number): Promise<void> => {
  const idle = abortWhenIdle(idleMs);
  try {
    const response = await fetch(url, { signal: idle.signal });
    if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
    const watch = new Transform({
      transform(chunk, _encoding, next) {
        idle.gotBytes();
        next(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body as never), watch, createWriteStream(file), { signal: idle.signal });
  } catch (error) {
    throw idle.signal.aborted ? idle.signal.reason : error;
  } finally {
    idle.done();
  }
};

const PLATFORM_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Temporal's own download service; `artifact` is its name there. The program lands at `target`. */
export const downloadTemporalArtifact = async (
  artifact: string,
  version: string,
  target: string,
  limits: DownloadLimits = DOWNLOAD_LIMITS,
  origin: string = ORIGIN,
): Promise<string> => {
  const arch = PLATFORM_ARCH[process.arch];
  if (!arch) throw new Error(`there is no ${artifact} for ${process.arch}`);
  const info = `${origin}/${artifact}/v${version}?arch=${arch}&platform=${process.platform}&format=tar.gz`;
  await assertReachable(info, limits);
  const response = await fetch(info, { signal: AbortSignal.timeout(limits.idleMs) });
  if (!response.ok) throw new Error(`${info} answered ${response.status}`);
  const { archiveUrl, fileToExtract } = (await response.json()) as { archiveUrl: string; fileToExtract: string };

  const folder = join(target, '..');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, '.download-'));
  try {
    const archive = join(work, 'archive.tar.gz');
    await saveTo(archiveUrl, archive, limits.idleMs);
    await promisify(execFile)('tar', ['-xzf', archive, '-C', work, fileToExtract]);
    renameSync(join(work, fileToExtract), target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};
