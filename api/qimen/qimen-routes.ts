import type { Request } from 'express';
import { z } from 'zod';
import {
  MAX_BODY_BYTES,
  PushRefused,
  answerText,
  readPush,
  type QimenFormat,
  type WmsWord,
} from '../../adapters/wms/qimen/push-parsing.ts';
import type { AuditActor, AuditFrom } from '../../models/audit-log.ts';
import { DeliveryProgress } from '../../models/delivery-progress.ts';
import { WarehouseStore, warehouseEntity, type WarehouseRecord } from '../../models/warehouse-records.ts';
import type { ApiDeps } from '../deps.ts';
import { orderServicesOf } from '../orders/order-services.ts';
import { defineRoute, type Reply, type Route } from '../route.ts';
import { idSchema } from '../schemas.ts';
import { hearWord, type RefusedReport } from './hear-word.ts';
import { orderWmsDesk, type WmsDesk } from './wms-desk.ts';

const STRANGER: AuditActor = { kind: 'anonymous', id: 'wms' };

interface QimenRefusal {
  code: string;
  message: string;
  /** Who sent it, as far as that is sure. */
  actor: AuditActor;
  detail?: Record<string, unknown>;
}

/** Where warehouses' systems report to, in Qimen's own form: every answer has status 200 and a `flag`. */
export const createQimenRoutes = (
  deps: ApiDeps,
  desk: WmsDesk = orderWmsDesk({ ...orderServicesOf(deps), progress: new DeliveryProgress(deps.connection) }),
): Route[] => {
  const warehouses = new WarehouseStore(deps.connection);

  const refuse = async (req: Request, from: AuditFrom, ...refusals: QimenRefusal[]): Promise<Reply> => {
    for (const { code, message, actor, detail } of refusals)
      await deps.refusals.record(actor, from, 'wms.refused', { code, reason: message, ...detail });
    const [{ code, message } = { code: 'failure', message: '' }] = refusals;
    const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : '';
    return answer(req, 'failure', code, message + more);
  };

  const accountOf = ({ _id }: WarehouseRecord, wms: NonNullable<WarehouseRecord['wms']>) => ({
    ...wms,
    secret: deps.sealer.unseal<{ secret: string }>(wms.secretSealed, warehouseEntity(_id)).secret,
  });

  return [
    defineRoute({
      method: 'POST',
      path: '/v1/qimen/{warehouseId}',
      operationId: 'receiveQimen',
      tag: 'warehouses',
      summary: "Take a report of a warehouse's system, in Qimen's own format and signed its own way",
      access: 'public',
      params: z.strictObject({ warehouseId: idSchema }),
      query: z.looseObject({}),
      raw: true,
      bodyLimitBytes: MAX_BODY_BYTES,
      success: { status: 200, contentType: 'application/xml', description: 'Its flag says whether it was taken' },
      handler: async ({ params: { warehouseId }, query, req, from }) => {
        const warehouse = await warehouses.byId(warehouseId);
        if (!warehouse?.wms)
          return refuse(req, from, {
            code: 'unknown-warehouse',
            message: 'no warehouse reports to this address',
            actor: STRANGER,
            detail: { warehouseId },
          });
        let word: WmsWord;
        try {
          const message = { params: query as Record<string, string>, body: bytesOf(req), format: formatOf(req) };
          word = readPush({ ...message, now: Date.now() }, accountOf(warehouse, warehouse.wms));
        } catch (error) {
          if (!(error instanceof PushRefused)) throw error;
          const { code, message, isSigned } = error;
          const actor = isSigned ? systemOf(warehouseId) : STRANGER;
          return refuse(req, from, { code, message, actor, detail: { warehouseId } });
        }
        const actor = systemOf(warehouseId);
        const refused = await hearWord(desk, warehouseId, word, { actor, ...from });
        if (refused.length > 0) return refuse(req, from, ...refused.map((report) => refusalOf(report, actor)));
        return answer(req, 'success', '0', 'ok');
      },
      answerProblem: async (problem, req, from) => {
        // What is our fault is logged where it happened; the warehouse only needs to send it again.
        if (problem.status >= 500) return answer(req, 'failure', 'isp.unavailable', 'not now: send it again');
        return refuse(req, from, { code: problem.code, message: problem.message, actor: STRANGER });
      },
    }),
  ];
};

const systemOf = (warehouseId: string): { kind: 'system'; id: string } => ({
  kind: 'system',
  id: `wms/${warehouseId}`,
});

const refusalOf = ({ deliveryOrderCode, code, message }: RefusedReport, actor: AuditActor): QimenRefusal => ({
  code,
  message,
  actor,
  detail: { deliveryOrderCode },
});

const bytesOf = ({ body }: Request): Uint8Array => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

/** As the caller says, else by the body's type, else Qimen's usual one. */
const formatOf = ({ url, headers }: Request): QimenFormat => {
  const asked = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('format')?.toLowerCase();
  if (asked === 'xml' || asked === 'json') return asked;
  return /\bjson\b/i.test(headers['content-type'] ?? '') ? 'json' : 'xml';
};

const answer = (req: Request, flag: 'success' | 'failure', code: string, message: string): Reply => {
  const format = formatOf(req);
  return {
    status: 200,
    body: answerText({ flag, code, message }, format),
    headers: { 'Content-Type': `application/${format}; charset=utf-8` },
  };
};
