import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createApp } from '../../api/app.ts';
import { ROLES, abilityOf, coversShops, maySignAs } from '../../api/auth/policy.ts';
import type { Action, Principal, Role, SubjectName } from '../../api/auth/policy.ts';
import { isAllowed, scopeFilter } from '../../api/auth/scope.ts';
import { RouteTable } from '../../api/route-table.ts';
import { createRoutes } from '../../api/routes.ts';
import { createSystemRoutes } from '../../api/system/system-routes.ts';
import { startTestApi } from './api-harness.ts';

const api = await startTestApi();
const table = new RouteTable([...createRoutes(api.deps), ...createSystemRoutes(api.deps, () => table)]);

const person = (roles: Role[], shopIds?: string[]): Principal => ({
  kind: 'user',
  id: 'anna',
  name: 'Anna',
  roles,
  ...(shopIds ? { shopIds } : {}),
});

/** The contract's table, written a second time: who may what, at all. */
const MAY: Record<string, Role[]> = {
  'read Order': [...ROLES],
  'reveal Order': ['cs_agent', 'cs_supervisor', 'warehouse', 'service'],
  'create Order': ['admin', 'service'],
  'pay Order': ['admin', 'service'],
  'command Order': ['admin', 'cs_agent', 'cs_supervisor', 'operations', 'service'],
  'release Order': ['admin', 'cs_agent', 'cs_supervisor', 'operations', 'service', 'finance'],
  'assign Order': ['admin', 'cs_agent', 'cs_supervisor', 'operations'],
  'ship Order': ['admin', 'warehouse', 'service'],
  'route Order': ['admin', 'cs_supervisor', 'operations'],
  'export Order': ['admin', 'finance', 'operations', 'auditor'],
  'read Stock': [...ROLES],
  'manage Stock': ['admin', 'warehouse', 'service'],
  'manage Shop': ['admin'],
  'sync Shop': ['admin', 'operations'],
  'read Shop': ['admin', 'cs_supervisor', 'finance', 'operations', 'auditor'],
  'manage Warehouse': ['admin'],
  'read Warehouse': ['admin', 'cs_supervisor', 'finance', 'operations', 'auditor'],
  'manage SkuMapping': ['admin', 'operations'],
  'read SkuMapping': ['admin', 'cs_supervisor', 'finance', 'operations', 'auditor'],
  'manage User': ['admin'],
  'manage ApiKey': ['admin'],
  'read Config': ['admin', 'cs_supervisor', 'finance', 'operations', 'auditor'],
  'write Config': ['admin', 'operations'],
  'confirm Config': ['finance'],
  'read Case': ['admin', 'cs_agent', 'cs_supervisor', 'finance', 'operations', 'warehouse', 'auditor'],
  'resolve Case': ['admin', 'cs_agent', 'cs_supervisor', 'finance', 'operations', 'warehouse'],
  'read Audit': ['admin', 'auditor'],
  'decode Payload': ['admin'],
  'manage LogLevel': ['admin'],
  'read Me': [...ROLES],
};

describe('access', () => {
  it('has every route in the policy, and answers each role as the table says', async () => {
    const tokens = new Map<Role, string>();
    for (const role of ROLES) tokens.set(role, await api.as(`only-${role}`, [role]));
    for (const route of table.routes) {
      const path = route.path.replace(/\{\w+\}/g, 'x');
      if (route.access === 'public') continue;
      const pair = `${route.access.action} ${route.access.subject}`;
      const may = MAY[pair];
      assert.ok(may, `${route.operationId}: ${pair} is not in the contract's table`);
      assert.equal((await api.call(route.method, path)).status, 401, `${route.operationId} without a token`);
      // A role that may reach the handler would end its own session there.
      if (route.operationId === 'logout') continue;
      for (const role of ROLES) {
        const { status } = await api.call(route.method, path, { token: tokens.get(role), ...bodyFor(route.method) });
        assert.equal(status !== 403, may.includes(role), `${role} ${route.method} ${path}: ${status}`);
        assert.notEqual(status, 401);
        assert.ok(status < 500, `${role} ${route.method} ${path}: ${status}`);
      }
    }
  });

  it('grants every pair of the table to exactly the roles of the contract', () => {
    for (const [pair, roles] of Object.entries(MAY)) {
      const [action, subject] = pair.split(' ') as [Action, SubjectName];
      for (const role of ROLES)
        assert.equal(abilityOf(person([role])).can(action, subject), roles.includes(role), `${role} ${pair}`);
    }
    assert.equal(abilityOf(person([])).can('read', 'Order'), false);
  });

  it('serves nothing that is not a declared route', () => {
    const app = createApp(api.deps, createRoutes(api.deps)) as unknown as {
      router: { stack: { name: string; route?: { path: string; methods: Record<string, boolean> } }[] };
    };
    const declared = new Set(table.routes.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`));
    const middleware: string[] = [];
    for (const { name, route } of app.router.stack) {
      if (!route) middleware.push(name);
      else
        for (const method of Object.keys(route.methods))
          assert.ok(declared.delete(`${method.toUpperCase()} ${route.path}`), route.path);
    }
    assert.deepEqual([...declared], []);
    assert.deepEqual(middleware, [
      'beginRequest',
      'helmetMiddleware',
      'codecCors',
      'authenticate',
      '<anonymous>',
      '<anonymous>',
      'unknownRoute',
      'problemHandler',
    ]);
  });

  it('leaves open only what the contract names', () => {
    const open = table.routes.filter(({ access }) => access === 'public').map(({ path }) => path);
    assert.deepEqual(
      [...new Set(open)].toSorted(),
      [
        '/.well-known/jwks.json',
        '/docs',
        '/docs/{file}',
        '/healthz',
        '/metrics',
        '/openapi.json',
        '/readyz',
        '/v1/auth/login',
        '/v1/auth/refresh',
        '/v1/codec/login',
        '/v1/push/{shopId}',
        '/v1/qimen/{warehouseId}',
      ].toSorted(),
    );
  });

  it('refuses to start with a route that no role may call', () => {
    const [route] = createRoutes(api.deps);
    assert.ok(route);
    const unknown = { ...route, access: { action: 'ship', subject: 'Audit' } } as const;
    assert.throws(() => createApp(api.deps, [unknown]), /nobody may ship Audit/);
    assert.throws(() => createApp(api.deps, [route, route]), /Declared twice/);
  });
});

describe('scopes', () => {
  it('become the simplest filter that says the same', () => {
    const filter = (roles: Role[], shopIds?: string[], action: Action = 'read') =>
      scopeFilter(abilityOf(person(roles, shopIds)), action, 'Order');
    assert.deepEqual(filter(['admin']), {});
    assert.deepEqual(filter(['operations'], ['a', 'b']), { shopId: { $in: ['a', 'b'] } });
    assert.deepEqual(filter(['cs_agent'], ['a']), { shopId: { $in: ['a'] }, assignee: 'anna' });
    assert.deepEqual(filter(['cs_agent', 'operations'], ['a']), { shopId: { $in: ['a'] } });
    assert.deepEqual(filter(['cs_agent', 'cs_supervisor']), {});
    assert.deepEqual(filter(['cs_agent', 'warehouse'], ['a'], 'reveal'), {
      $or: [
        { shopId: { $in: ['a'] }, status: { $in: ['processing', 'awaiting_shipment', 'partially_shipped'] } },
        { shopId: { $in: ['a'] }, assignee: 'anna' },
      ],
    });
  });

  it('decide single records the same way', () => {
    const agent = abilityOf(person(['cs_agent'], ['a']));
    assert.equal(isAllowed(agent, 'command', 'Order', { shopId: 'a', assignee: 'anna' }), true);
    assert.equal(isAllowed(agent, 'command', 'Order', { shopId: 'a', assignee: 'ben' }), false);
    assert.equal(isAllowed(agent, 'command', 'Order', { shopId: 'b', assignee: 'anna' }), false);
    assert.equal(isAllowed(agent, 'assign', 'Order', { shopId: 'a', assignee: null }), true);
    const operations = abilityOf(person(['operations']));
    assert.equal(isAllowed(operations, 'write', 'Config', { name: 'timers' }), true);
    assert.equal(isAllowed(operations, 'write', 'Config', { name: 'courier-mappings.jd' }), true);
    assert.equal(isAllowed(operations, 'write', 'Config', { name: 'approval-tiers' }), false);
    const finance = abilityOf(person(['finance'], ['a']));
    assert.equal(isAllowed(finance, 'resolve', 'Case', { shopId: 'a', code: 'overpaid' }), true);
    assert.equal(isAllowed(finance, 'resolve', 'Case', { shopId: 'a', code: 'unknown_sku' }), false);
    assert.equal(isAllowed(finance, 'resolve', 'Case', { shopId: 'b', code: 'overpaid' }), false);
  });

  it('let nobody who holds admin sign, and no service', () => {
    assert.equal(maySignAs(person(['finance']), 'finance'), true);
    assert.equal(maySignAs(person(['finance', 'admin']), 'finance'), false);
    assert.equal(maySignAs(person(['finance']), 'operations'), false);
    assert.equal(maySignAs({ ...person(['finance']), kind: 'service' }, 'finance'), false);
  });

  it('cover only what lies within', () => {
    assert.equal(coversShops(person(['admin']), undefined), true);
    assert.equal(coversShops(person(['admin'], ['a']), undefined), false);
    assert.equal(coversShops(person(['admin'], ['a']), ['a']), true);
    assert.equal(coversShops(person(['admin'], ['a']), ['a', 'b']), false);
  });
});

/** Refused by its form in every route, so that nothing is changed on the way. */
const bodyFor = (method: string) => (method === 'GET' || method === 'DELETE' ? {} : { body: { unknownField: 1 } });
