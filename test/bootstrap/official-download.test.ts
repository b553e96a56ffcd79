import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { downloadMongod } from '../../runtime/embedded/mongod-download.ts';
import { downloadTemporalArtifact } from '../../runtime/embedded/official-download.ts';

const folder = mkdtempSync(join(tmpdir(), 'orderhub-download-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const LIMITS = { headMs: 300, idleMs: 1_000 };

const withHost = async (answer: RequestListener, work: (origin: string) => Promise<void>): Promise<void> => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

const infoOf = (host: string | undefined): string =>
  JSON.stringify({ archiveUrl: `http://${host}/archive.tar.gz`, fileToExtract: 'temporal' });

const archive = (): Buffer => {
  writeFileSync(join(folder, 'temporal'), '#!/bin/sh\necho ours\n', { mode: 0o755 });
  execFileSync('tar', ['-czf', 'archive.tar.gz', 'temporal'], { cwd: folder });
  return readFileSync(join(folder, 'archive.tar.gz'));
};

test('a program is downloaded, unpacked and can be run', async () => {
  const file = archive();
  const answer: RequestListener = ({ url, headers }, response) =>
    response.end(url?.startsWith('/cli/v1.2.3?arch=') ? infoOf(headers.host) : file);
  await withHost(answer, async (origin) => {
    const target = join(folder, 'temporal-1.2.3', 'temporal');
    assert.equal(await downloadTemporalArtifact('cli', '1.2.3', target, LIMITS, origin), target);
    assert.equal(execFileSync(target, { encoding: 'utf8' }), 'ours\n');
    assert.deepEqual(readdirSync(join(target, '..')), ['temporal']);
  });
});

test('a host that accepts and never answers is given up within the limit', async () => {
  const began = Date.now();
  await withHost(
    () => undefined,
    (origin) =>
      assert.rejects(
        downloadTemporalArtifact('cli', '1', join(folder, 'mute', 'temporal'), LIMITS, origin),
        /cannot be reached/,
      ),
  );
  assert.ok(Date.now() - began < 2_000);
});

test('a download that falls silent half-way is given up and leaves nothing behind', async () => {
  const answer: RequestListener = ({ url, headers }, response) => {
    if (url?.startsWith('/cli/')) return void response.end(infoOf(headers.host));
    response.writeHead(200, { 'content-length': '1000000' });
    response.write('half');
  };
  await withHost(answer, async (origin) => {
    const target = join(folder, 'silent', 'temporal');
    await assert.rejects(downloadTemporalArtifact('cli', '1', target, LIMITS, origin), /no bytes for 1 s/);
    assert.deepEqual(readdirSync(join(folder, 'silent')), []);
  });
});

test('a refusal of the host is said', async () => {
  const answer: RequestListener = (_request, response) => response.writeHead(404).end();
  await withHost(answer, (origin) =>
    assert.rejects(
      downloadTemporalArtifact('cli', '1', join(folder, 'refused', 'temporal'), LIMITS, origin),
      /answered 404/,
    ),
  );
});

test('a download of MongoDB that falls silent is ended', async () => {
  const answer: RequestListener = ({ method }, response) => {
    response.writeHead(200, { 'content-length': '1000000' });
    if (method === 'HEAD') response.end();
    else response.write('half');
  };
  await withHost(answer, async (origin) => {
    const target = join(folder, 'mongodb');
    const env = { ...process.env, MONGOMS_DOWNLOAD_MIRROR: origin, MONGOMS_USE_HTTP: 'true' };
    await assert.rejects(downloadMongod('8.2.5', target, env, { headMs: 300, idleMs: 3_000 }), /no bytes for 3 s/);
    assert.equal(existsSync(join(target, 'program.txt')), false);
  });
});
