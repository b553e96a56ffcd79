import { test } from 'node:test';
import assert from 'node:assert/strict';
import { decide } from '../../domain/order-decide.ts';
import { initialState } from '../../domain/order-life.ts';
import { auditFacets } from '../../domain/order-view.ts';
import { withOutcome, type Step } from '../../domain/order-step.ts';
import { stepRequest, type WrittenStep } from '../../domain/step-request.ts';
import type { OrderMessage } from '../../domain/order-messages.ts';
import type { OrderSnapshot, OrderState } from '../../domain/order-model.ts';
import { chainEntry } from '../../models/audit-log.ts';
import { caseCollection } from '../../models/case-records.ts';
import { orderCollection } from '../../models/order-records.ts';
import { StepCommitter, type CommitAnswer, type OrderStepRequest } from '../../models/step-committer.ts';
import { FakeLedger } from '../support/fake-ledger.ts';
import { addWarehouses, counterOf, openDatabase, receive, recordOf } from '../support/stored-orders.ts';
import { CANCEL, later, lineOf, NOON, payment, ship, snapshotOf, TIMERS } from '../domain/samples.ts';

type Answer = CommitAnswer & { written?: WrittenStep };

/** What both must do alike: the ledger that runs, and the one that workflows are tested with. */
interface Ledger {
  take(snapshot: OrderSnapshot): Promise<void>;
  commit(request: OrderStepRequest): Promise<Answer>;
  receive(warehouseId: string, skuCode: string, quantity: number): Promise<void>;
  /** `onHand/reserved` */
  counter(warehouseId: string, skuCode: string): Promise<string>;
  openCases(orderId: string): Promise<string[]>;
}

const fake = async (): Promise<Ledger> => {
  const ledger = new FakeLedger('w1', 'w2');
  return {
    take: async () => undefined,
    commit: (request) => ledger.commit(request),
    receive: async (...goods) => ledger.receive(...goods),
    counter: async (...of) => ledger.counter(...of),
    openCases: async (orderId) => ledger.openCases(orderId).toSorted(),
  };
};

const stored = async (): Promise<Ledger> => {
  const events = { onFilled: () => undefined };
  const connection = await openDatabase((opened) => void new StepCommitter(opened, events));
  const committer = new StepCommitter(connection, events);
  await addWarehouses(connection, 'w1', 'w2');
  return {
    take: async (snapshot) => void (await orderCollection(connection).insertOne(recordOf(snapshot))),
    commit: (request) => committer.commit(request),
    receive: async (...goods) => void (await receive(committer, ...goods)),
    counter: async (...of) =>
      (await counterOf(connection, ...of)).split('/').slice(0, 2).join('/').replace('none', '0/0'),
    openCases: async (orderId) =>
      (await caseCollection(connection).find({ orderId, state: 'open' }).toArray()).map(({ code }) => code).toSorted(),
  };
};

/** An order whose steps are written by the ledger; what it was answered is told in words. */
class Written {
  state: OrderState;
  readonly #ledger: Ledger;
  readonly #runId: string;

  constructor(ledger: Ledger, snapshot: OrderSnapshot, runId = `run ${snapshot.orderId}`) {
    this.#ledger = ledger;
    this.#runId = runId;
    this.state = initialState(snapshot);
  }

  static async opened(ledger: Ledger, snapshot: OrderSnapshot): Promise<Written> {
    await ledger.take(snapshot);
    const order = new Written(ledger, snapshot);
    await order.tell({ type: 'opened' });
    return order;
  }

  request(message: OrderMessage, at = NOON): { step: Step; request: OrderStepRequest } {
    const decision = decide(this.state, message, { now: at, timers: TIMERS });
    if (decision.kind !== 'step') throw new Error(`${message.type}: ${JSON.stringify(decision)}`);
    const input = {
      step: decision.step,
      action: message.type,
      message,
      origin: { actor: { kind: 'user' as const, id: 'ann' } },
      at,
      before: auditFacets(this.state),
      runId: this.#runId,
    };
    return { step: decision.step, request: stepRequest(input, chainEntry) };
  }

  async tell(message: OrderMessage, at?: string): Promise<string> {
    const { step, request } = this.request(message, at);
    try {
      const answer = await this.#ledger.commit(request);
      if (!answer.isRepeat && answer.outcome?.state !== 'short')
        this.state = { ...withOutcome(step, answer.outcome).next, auditHash: answer.auditHash };
      const found = answer.isRepeat ? `found ${answer.written?.message.type ?? 'something'}` : 'written';
      const from =
        answer.outcome?.state === 'reserved' ? answer.outcome.allocations.map((a) => a.warehouseId).join('+') : '';
      return [found, answer.outcome?.state ?? '', from].filter((word) => word !== '').join(' ');
    } catch (error) {
      return (error as Error).name;
    }
  }
}

const order = (n: number, units: number, paidAfterMs = 0): OrderSnapshot => {
  const snapshot = snapshotOf({ orderId: `own1.W${n}`, lines: [lineOf('1', units, { skuCode: 'A' })] });
  return { ...snapshot, payments: [payment('p1', snapshot.payable, { paidAt: later(paidAfterMs) })] };
};

type Story = (ledger: Ledger, say: (line: string) => void) => Promise<void>;

const STORIES: Record<string, Story> = {
  'a step is written once, however often it is asked for': async (ledger, say) => {
    await ledger.receive('w1', 'A', 5);
    const first = await Written.opened(ledger, order(1, 2));
    const again = new Written(ledger, order(1, 2));
    say(await again.tell({ type: 'opened' }, later(5000)));
    say(await ledger.counter('w1', 'A'));
    say(await first.tell(CANCEL));
    say(await ledger.counter('w1', 'A'));
    say((await ledger.openCases('own1.W1')).join());
  },
  'a revision that is taken by another step is told by what caused that': async (ledger, say) => {
    await ledger.receive('w1', 'A', 5);
    const first = await Written.opened(ledger, order(1, 2));
    const forgetful = new Written(ledger, order(1, 2));
    forgetful.state = first.state;
    say(await first.tell(ship('T1', { 1: 1 })));
    say(await forgetful.tell(CANCEL));
    say(await first.tell(CANCEL));
    say(await forgetful.tell(CANCEL));
    say(await ledger.counter('w1', 'A'));
  },
  'an order belongs to one run, until it is brought back by another': async (ledger, say) => {
    const first = await Written.opened(ledger, { ...order(1, 2), payments: [] });
    const foreign = new Written(ledger, order(1, 2), 'another run');
    foreign.state = first.state;
    say(await foreign.tell({ type: 'assign', username: 'bob' }));
    say(await first.tell(CANCEL));
    foreign.state = { ...first.state, snapshot: order(1, 2) };
    say(await foreign.tell({ type: 'reinstated' }));
    say(await first.tell({ type: 'assign', username: 'eve' }));
    say(await foreign.tell({ type: 'assign', username: 'bob' }));
  },
  'goods are reserved whole or not at all, from as few warehouses as it takes': async (ledger, say) => {
    await ledger.receive('w1', 'A', 2);
    await ledger.receive('w2', 'A', 3);
    await ledger.take(order(1, 3));
    await ledger.take(order(2, 2));
    await ledger.take(order(3, 1));
    for (const n of [1, 2, 3]) say(await new Written(ledger, order(n, [3, 2, 1][n - 1] ?? 1)).tell({ type: 'opened' }));
    say(`${await ledger.counter('w1', 'A')} ${await ledger.counter('w2', 'A')}`);
  },
  'goods that two warehouses have together come from both': async (ledger, say) => {
    await ledger.receive('w1', 'A', 2);
    await ledger.receive('w2', 'A', 1);
    await ledger.take(order(1, 3));
    const both = new Written(ledger, order(1, 3));
    say(await both.tell({ type: 'opened' }));
    say(await both.tell(ship('T1', { 1: 2 })));
    say(await both.tell(CANCEL));
    say(`${await ledger.counter('w1', 'A')} ${await ledger.counter('w2', 'A')}`);
  },
  'who paid first is served first, nobody overtakes, what was given is picked up once': async (ledger, say) => {
    const late = await Written.opened(ledger, order(1, 2, 2000));
    const early = await Written.opened(ledger, order(2, 2, 1000));
    await ledger.receive('w1', 'A', 3);
    say(await ledger.counter('w1', 'A'));
    say(await (await Written.opened(ledger, order(3, 1, 3000))).tell({ type: 'stockReserved', round: 1 }));
    say(await late.tell({ type: 'stockReserved', round: 1 }));
    say(await early.tell({ type: 'stockReserved', round: 1 }));
    say(await early.tell(ship('T1', { 1: 2 })));
    await ledger.receive('w1', 'A', 2);
    say(await late.tell({ type: 'stockReserved', round: 1 }));
    say(await ledger.counter('w1', 'A'));
  },
  'who leaves the queue gives back what it was given, to the next': async (ledger, say) => {
    const first = await Written.opened(ledger, order(1, 2));
    const second = await Written.opened(ledger, order(2, 2, 1000));
    const third = await Written.opened(ledger, order(3, 2, 2000));
    say(await second.tell(CANCEL));
    await ledger.receive('w1', 'A', 2);
    say(await first.tell(CANCEL));
    say(await ledger.counter('w1', 'A'));
    say(await third.tell({ type: 'stockReserved', round: 1 }));
  },
  'an allocation that cannot be is no change at all': async (ledger, say) => {
    await ledger.receive('w1', 'A', 2);
    await ledger.receive('w2', 'A', 1);
    const moved = await Written.opened(ledger, order(1, 2));
    say(await moved.tell({ type: 'allocate', warehouseId: 'w2' }));
    say(`${await ledger.counter('w1', 'A')} ${await ledger.counter('w2', 'A')}`);
    await ledger.receive('w2', 'A', 1);
    say(await moved.tell({ type: 'allocate', warehouseId: 'w2' }));
    say(`${await ledger.counter('w1', 'A')} ${await ledger.counter('w2', 'A')}`);
    say(await moved.tell(ship('T1', { 1: 2 }, 'w2')));
    say(`${await ledger.counter('w1', 'A')} ${await ledger.counter('w2', 'A')}`);
  },
};

const EXPECTED: Record<string, string[]> = {
  'a step is written once, however often it is asked for': [
    'found opened reserved w1',
    '5/2',
    'written',
    '5/0',
    'refund_due',
  ],
  'a revision that is taken by another step is told by what caused that': [
    'written',
    'found ship',
    'written',
    'ForeignRun',
    '4/0',
  ],
  'an order belongs to one run, until it is brought back by another': [
    'ForeignRun',
    'written',
    'written backordered',
    'ForeignRun',
    'written',
  ],
  'goods are reserved whole or not at all, from as few warehouses as it takes': [
    'written reserved w2',
    'written reserved w1',
    'written backordered',
    '2/2 3/3',
  ],
  'goods that two warehouses have together come from both': ['written reserved w1+w2', 'written', 'written', '0/0 1/0'],
  'who paid first is served first, nobody overtakes, what was given is picked up once': [
    '3/2',
    'written short',
    'written short',
    'written reserved w1',
    'written',
    'written reserved w1',
    '3/3',
  ],
  'who leaves the queue gives back what it was given, to the next': [
    'written',
    'written',
    '2/2',
    'written reserved w1',
  ],
  'an allocation that cannot be is no change at all': [
    'written short',
    '2/2 1/0',
    'written reserved w2',
    '2/0 2/2',
    'written',
    '2/0 0/0',
  ],
};

for (const [name, make] of [
  ['the fake ledger', fake],
  ['the stored ledger', stored],
] as const)
  for (const [rule, story] of Object.entries(STORIES))
    test(`${rule}: ${name}`, async () => {
      const said: string[] = [];
      await story(await make(), (line) => void said.push(line));
      assert.deepEqual(said, EXPECTED[rule]);
    });
