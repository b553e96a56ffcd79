import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const project = mkdtempSync(join(tmpdir(), 'orderhub-lint-'));
after(() => rmSync(project, { recursive: true, force: true }));

/** A line of code in a file, and whether the linter must report it. */
const LINES: [file: string, line: string, verdict: 'allowed' | 'forbidden'][] = [
  ['domain/a.ts', `import '../models/x.ts';`, 'forbidden'],
  ['domain/b.ts', `import type { X } from '../models/x.ts'; export type Y = X;`, 'forbidden'],
  ['domain/c.ts', `import { createHash } from 'node:crypto'; export const c = createHash;`, 'forbidden'],
  ['domain/d.ts', `import { z } from 'zod'; export const d = z;`, 'forbidden'],
  ['domain/e.ts', `import './money.ts';`, 'allowed'],
  ['domain/sub/f.ts', `import '../../runtime/x.ts';`, 'forbidden'],
  ['workflows/a.ts', `import '../activities/x.ts';`, 'forbidden'],
  ['workflows/b.ts', `import type { X } from '../activities/x.ts'; export type Y = X;`, 'allowed'],
  ['workflows/c.ts', `import { sleep } from '@temporalio/workflow'; export const c = sleep;`, 'allowed'],
  ['workflows/d.ts', `import { Client } from '@temporalio/client'; export const d = Client;`, 'forbidden'],
  ['workflows/e.ts', `import 'node:fs';`, 'forbidden'],
  ['workflows/f.ts', `import '../domain/x.ts';`, 'allowed'],
  ['workflows/g.ts', `import '../models/x.ts';`, 'forbidden'],
  ['activities/a.ts', `import '../models/order-store.ts';`, 'forbidden'],
  ['activities/b.ts', `import type { X } from '../models/order-store.ts'; export type Y = X;`, 'allowed'],
  ['activities/c.ts', `import '../workflows/contract.ts';`, 'forbidden'],
  ['activities/d.ts', `import '../runtime/mongo.ts';`, 'forbidden'],
  ['adapters/wms/a.ts', `import '../../models/x.ts';`, 'forbidden'],
  ['adapters/wms/b.ts', `import '../../domain/x.ts';`, 'allowed'],
  ['models/a.ts', `import '../api/x.ts';`, 'forbidden'],
  ['models/b.ts', `import type { X } from '../domain/x.ts'; export type Y = X;`, 'allowed'],
  ['models/c.ts', `import { money } from '../domain/money.ts'; export const c = money;`, 'forbidden'],
  ['models/d.ts', `import { orderId } from '../domain/ids.ts'; export const d = orderId;`, 'allowed'],
  ['api/a.ts', `import '../workflows/order-workflow.ts';`, 'forbidden'],
  ['api/b.ts', `import '../workflows/contract.ts';`, 'allowed'],
  ['api/k.ts', `import '../workflows/channel-contract.ts';`, 'allowed'],
  ['api/l.ts', `import '../adapters/channels/capabilities.ts';`, 'allowed'],
  ['api/m.ts', `import '../adapters/channels/taobao/taobao-client.ts';`, 'forbidden'],
  ['config/a.ts', `import '../models/x.ts';`, 'forbidden'],
  ['api/c.ts', `import '../activities/x.ts';`, 'forbidden'],
  ['api/d.ts', `import '../adapters/payments/alipay.ts';`, 'forbidden'],
  ['workers/a.ts', `import '../workflows/order-workflow.ts';`, 'forbidden'],
  ['workers/b.ts', `import '../api/app.ts';`, 'forbidden'],
  ['workers/c.ts', `import '../models/x.ts';`, 'allowed'],
  ['relay/a.ts', `import '../api/app.ts';`, 'forbidden'],
  ['runtime/a.ts', `import '../models/x.ts';`, 'forbidden'],
  ['simulators/a.ts', `import '../models/x.ts';`, 'forbidden'],
  ['simulators/b.ts', `import '../runtime/mongo.ts';`, 'forbidden'],
  ['simulators/c.ts', `import '../runtime/logger.ts';`, 'allowed'],
  ['api/e.ts', `export const e = process.env['X'];`, 'forbidden'],
  ['runtime/config.ts', `export const f = process.env['X'];`, 'allowed'],
  ['api/g.ts', `console.log('x');`, 'forbidden'],
  ['scripts/h.ts', `console.log(process.env['X']);`, 'allowed'],
  ['api/i.ts', `const work = async () => 1;\nexport const i = () => { work(); };`, 'forbidden'],
  ['api/j.ts', `const work = async () => 1;\nexport const j = async () => { await work(); };`, 'allowed'],
];

const RULES = /no-restricted-imports|no-process-env|no-console|no-floating-promises/;

let reported = new Set<string>();

before(() => {
  for (const file of ['.oxlintrc.json', 'tsconfig.json']) cpSync(join(root, file), join(project, file));
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  for (const [file, line] of LINES) {
    mkdirSync(join(project, dirname(file)), { recursive: true });
    writeFileSync(join(project, file), `${line}\nexport {};\n`);
  }
  const lint = spawnSync(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), '--format', 'json'], {
    cwd: project,
    encoding: 'utf8',
  });
  const { diagnostics } = JSON.parse(lint.stdout) as { diagnostics: { filename: string; code: string }[] };
  reported = new Set(diagnostics.filter(({ code }) => RULES.test(code)).map(({ filename }) => filename));
});

for (const [file, line, verdict] of LINES)
  test(`the linter ${verdict === 'allowed' ? 'lets pass' : 'reports'} in ${file}: ${line.split(/[;\n]/)[0]}`, () => {
    assert.equal(reported.has(file), verdict === 'forbidden');
  });
