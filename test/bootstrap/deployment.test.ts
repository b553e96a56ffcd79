import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');

interface Service {
  image?: string;
  user?: string;
  read_only?: boolean;
  command?: string[];
  restart?: string;
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  ports?: string[];
  networks?: string[];
  depends_on?: Record<string, { condition: string }>;
}

const composeText = read('docker-compose.yml');
const compose = parse(composeText, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
};
const { services } = compose;
const isOneShot = ({ restart }: Service): boolean => restart?.startsWith('on-failure') === true;
const named = Object.entries(services);

test('the compose file has every part of the system', () => {
  const wanted = ['api', 'worker', 'relay', 'mongo', 'postgres', 'rabbitmq', 'temporal', 'temporal-ui'];
  assert.deepEqual(
    wanted.filter((name) => !(name in services)),
    [],
  );
  assert.deepEqual(
    ['api', 'worker', 'relay'].map((role) => services[role]?.command?.[1]),
    ['api', 'worker', 'relay'],
  );
});

test('every lasting service but the UI says whether it is healthy', () => {
  const silent = named.filter(
    ([name, service]) => !isOneShot(service) && !service.healthcheck && name !== 'temporal-ui',
  );
  assert.deepEqual(
    silent.map(([name]) => name),
    [],
  );
});

test('whoever needs a service waits until it is healthy, or done', () => {
  for (const [name, { depends_on: needs = {} }] of named)
    for (const [needed, { condition }] of Object.entries(needs)) {
      const service = services[needed];
      assert.ok(service, `${name} needs ${needed}, which there is not`);
      assert.equal(
        condition,
        isOneShot(service) ? 'service_completed_successfully' : 'service_healthy',
        `${name} → ${needed}`,
      );
    }
  for (const role of ['api', 'worker', 'relay'])
    assert.deepEqual(Object.keys(services[role]?.depends_on ?? {}).toSorted(), [
      'mongo',
      'mongo-initiate',
      'rabbitmq',
      'temporal',
    ]);
});

test('no password stands in the compose file, and none has a default', () => {
  const secrets = named.flatMap(([, { environment = {} }]) =>
    Object.entries(environment).filter(([name]) => /PASSWORD|PASS$|PWD$|_URI$|AMQP_URL/.test(name)),
  );
  assert.ok(secrets.length >= 10);
  for (const [name, value] of secrets) assert.match(value, /\$\{[A-Z_]+:\?/, name);
  assert.doesNotMatch(composeText, /(PASSWORD|PASS|PWD|TOKEN)[^\n]*:-[^}]/);
});

test('only the API and the Temporal UI are published, and on this machine alone', () => {
  const published = named.filter(([, { ports }]) => ports);
  assert.deepEqual(published.map(([name]) => name).toSorted(), ['api', 'temporal-ui']);
  for (const [name, { ports = [] }] of published) for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name);
  assert.equal(compose.networks['inside']?.internal, true);
});

test('MongoDB is a replica set that asks for passwords', () => {
  const mongo = JSON.stringify(services['mongo']);
  assert.match(mongo, /--replSet orderhub --keyFile/);
  assert.match(read('deploy/mongo/initiate.js'), /rs\.initiate\(\{ _id: 'orderhub'/);
  assert.match(services['api']?.environment?.['MONGODB_URI'] ?? '', /replicaSet=orderhub&authSource=admin/);
});

test('tasks are dispatched fairly between shops', () => {
  const dynamic = parse(read('deploy/temporal/dynamic-config.yaml')) as Record<string, { value: unknown }[]>;
  assert.deepEqual(dynamic['matching.enableFairness'], [{ value: true }]);
  assert.deepEqual(dynamic['history.maxInFlightUpdates'], [{ value: 200 }]);
  assert.match(JSON.stringify(services['temporal']), /dynamic-config\.yaml/);
});

test('our containers run without root, without privileges and without a writable root', () => {
  for (const role of ['api', 'worker', 'relay']) {
    assert.equal(services[role]?.user, 'node');
    assert.equal(services[role]?.read_only, true);
    assert.match(
      JSON.stringify(services[role]),
      /"cap_drop":\["ALL"\].*no-new-privileges:true|no-new-privileges:true.*"cap_drop":\["ALL"\]/,
    );
  }
  const last =
    read('Dockerfile')
      .split(/^FROM /m)
      .at(-1) ?? '';
  assert.match(last, /^USER node$/m);
  assert.doesNotMatch(last.split(/^USER node$/m)[1] ?? '', /^USER /m);
});

test('the image has no development dependencies and brings its workflows bundled', () => {
  const dockerfile = read('Dockerfile');
  assert.match(dockerfile, /npm ci --omit=dev --ignore-scripts/);
  assert.match(dockerfile, /scripts\/build-workflows\.ts dist\/workflows\.js/);
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  assert.ok(dependencies?.['tsx'] && !devDependencies?.['tsx'], 'tsx runs the image');
  for (const folder of ['test', 'node_modules', '.git', '.orderhub', '.env'])
    assert.match(read('.dockerignore'), new RegExp(`^${folder.replace('.', '\\.')}$`, 'm'));
});

test('.env.example names every variable that is read anywhere', () => {
  const example = new Set([...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name));
  const config = [...read('runtime/config.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map(([, name]) => name ?? '');
  const inCompose = [...composeText.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name ?? '');
  assert.ok(config.length > 30);
  assert.deepEqual(
    [...config, ...inCompose].filter((name) => !example.has(name)),
    [],
  );
});
