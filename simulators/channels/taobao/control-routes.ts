import type { z } from 'zod';
import type { TaobaoControl } from './control.ts';
import * as schemas from './control-schemas.ts';
import { ImpossibleChange } from './trade-changes.ts';

export interface ControlAnswer {
  status: number;
  body: unknown;
}

interface ControlRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

type TradeAction = (control: TaobaoControl, tid: string, body: unknown) => unknown;

const action =
  <S extends z.ZodType>(
    schema: S,
    act: (control: TaobaoControl, tid: string, body: z.output<S>) => unknown,
  ): TradeAction =>
  (control, tid, body) =>
    act(control, tid, schema.parse(body));

const plain = (act: (control: TaobaoControl, tid: string) => unknown): TradeAction =>
  action(schemas.nothingSchema, act);

const TRADE_ACTIONS: ReadonlyMap<string, TradeAction> = new Map([
  ['pay', plain((control, tid) => control.pay(tid))],
  ['close', plain((control, tid) => control.close(tid))],
  ['finish', plain((control, tid) => control.finish(tid))],
  ['lock', plain((control, tid) => control.lock(tid))],
  ['unlock', plain((control, tid) => control.unlock(tid))],
  ['refund', action(schemas.refundSchema, (control, tid, { status }) => control.refund(tid, status))],
  ['raw', action(schemas.rawSchema, (control, tid, body) => control.setRaw(tid, body.raw))],
  ['status', action(schemas.statusSchema, (control, tid, { status }) => control.setStatus(tid, status))],
  [
    'line-refund',
    action(schemas.lineRefundSchema, (control, tid, { oid, status }) => control.refundLine(tid, oid, status)),
  ],
  ['address', action(schemas.addressSchema, (control, tid, { receiver }) => control.changeAddress(tid, receiver))],
]);

const created = (body: unknown): ControlAnswer => ({ status: 201, body });
const done = (body: unknown = {}): ControlAnswer => ({ status: 200, body });
const refused = (status: number, detail: string): ControlAnswer => ({ status, body: { detail } });

/** The same steering over HTTP: paths under `/_control/`, JSON in and out. */
export const answerControl = (control: TaobaoControl, request: ControlRequest): ControlAnswer => {
  try {
    return route(control, request) ?? refused(404, `There is no ${request.method} ${request.path}`);
  } catch (error) {
    if (error instanceof ImpossibleChange) return refused(409, error.message);
    if (error instanceof Error && error.name === 'ZodError') return refused(400, error.message);
    throw error;
  }
};

const route = (control: TaobaoControl, { method, path, query, body }: ControlRequest): ControlAnswer | undefined => {
  const [what, id, verb] = path.replace(/^\/_control\//, '').split('/');
  switch (`${method} ${what}${id === undefined ? '' : '/*'}${verb === undefined ? '' : '/*'}`) {
    case 'POST trades':
      return created(control.createTrade(schemas.tradeSchema.parse(body)));
    case 'POST trades/*':
      return id === 'bulk' ? created({ tids: control.createTrades(schemas.bulkSchema.parse(body)) }) : undefined;
    case 'GET trades/*': {
      const trade = control.trade(id ?? '');
      return trade && done(trade);
    }
    case 'POST trades/*/*': {
      const act = TRADE_ACTIONS.get(verb ?? '');
      return act && control.trade(id ?? '') && done(act(control, id ?? '', body));
    }
    case 'POST touch': {
      const { count, tids } = schemas.touchSchema.parse(body);
      return done({ tids: control.touch(count, tids) });
    }
    case 'POST moving':
      return created(control.startMoving(schemas.movementSchema.parse(body)));
    case 'DELETE moving':
      return done(control.stopMoving());
    case 'POST faults':
      return created(control.addFault(schemas.faultSchema.parse(body)));
    case 'GET faults':
      return done({ faults: control.faults() });
    case 'DELETE faults':
      return done(control.clearFaults());
    case 'DELETE faults/*':
      return done(control.clearFaults(Number(id)));
    case 'GET books':
      return done(control.books(query.get('seller') ?? undefined));
    case 'GET calls':
      return done(control.calls());
    default:
      return undefined;
  }
};
