import { test } from 'node:test';
import { fork } from 'node:child_process';
import { Agent, request } from 'node:http';
import { Session } from 'node:inspector/promises';
import { z } from 'zod';
import express from 'express';
import { defineRoute } from './api/route.ts';
import { startTestApi } from './test/api/api-harness.ts';
if (process.argv[2] === 'client') {
  process.on('message', async ({ url, token, n }: any) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const one = () => new Promise<void>((resolve) => {
      const body = JSON.stringify({ shopId: 'own1', lines: [{ q: 1 }, { q: 2 }, { q: 3 }] });
      const req = request(url, { agent, method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': body.length } }, (res) => { res.resume().on('end', resolve); });
      req.end(body);
    });
    let left = n;
    const t = performance.now();
    await Promise.all(Array.from({ length: 8 }, async () => { while (left-- > 0) await one(); }));
    process.send!({ ms: performance.now() - t });
  });
} else {
  const api = await startTestApi({ routes: () => [defineRoute({ method: 'POST', path: '/v1/t', operationId: 't', tag: 't', summary: 's', access: { action: 'create', subject: 'Order' }, body: z.strictObject({ shopId: z.string(), lines: z.array(z.strictObject({ q: z.number() })) }), success: { status: 200, description: '' }, handler: async ({ body }) => ({ status: 200, body }) })] });
  api.deps.logger.setLevel('error');
  const bare = express(); bare.use(express.json()); bare.post('/v1/t', (req, res) => { res.json(req.body); });
  const bs = bare.listen(0, '127.0.0.1');
  test('perf', async () => {
    const token = await api.as('svc', ['service']);
    const child = fork('./zz-perf.tmp.ts', ['client'], { execArgv: ['--import', 'tsx'] });
    for (const [label, url] of [['warm', api.url], ['ours', api.url], ['bare', `http://127.0.0.1:${(bs.address() as any).port}`], ['bare', `http://127.0.0.1:${(bs.address() as any).port}`], ['ours', api.url], ['prof', api.url]]) {
      const n = 8000;
      let session: Session | undefined;
      if (label === 'prof') { session = new Session(); session.connect(); await session.post('Profiler.enable'); await session.post('Profiler.start'); }
      const c = process.cpuUsage();
      const ms = await new Promise<number>((r) => { child.once('message', (m: any) => r(m.ms)); child.send({ url: url + '/v1/t', token, n }); });
      const u = process.cpuUsage(c);
      console.log(label, n, 'req/s', Math.round(n / ms * 1000), 'server cpu us/req', Math.round((u.user + u.system) / n));
      if (session) {
        const { profile } = await session.post('Profiler.stop');
        const self = new Map<string, number>(); const total = profile.samples!.length;
        const byId = new Map(profile.nodes.map((x) => [x.id, x]));
        for (const id of profile.samples!) { const f = byId.get(id)!.callFrame; const k = f.functionName + ' ' + f.url.replace(/.*node_modules\//, '').replace('file:///work/main/', '') + ':' + f.lineNumber; self.set(k, (self.get(k) ?? 0) + 1); }
        for (const [k, v] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 40)) console.log('req/s', (v / total * 100).toFixed(1), k);
      }
    }
    child.kill(); bs.close();
  });
}
