import { isDeepStrictEqual } from 'node:util';
import { warehouseEntity, type WarehouseRecord, type WarehouseStore } from '../../models/warehouse-records.ts';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { assertRevision } from '../revisions.ts';
import type { RouteContext } from '../route.ts';
import { assertCallableUrl } from '../urls.ts';
import type { WarehouseBody } from './warehouse-schemas.ts';

export interface PutWarehouseParts {
  deps: Pick<ApiDeps, 'audit' | 'sealer' | 'settings'>;
  warehouses: WarehouseStore;
}

/** Makes or replaces a warehouse; the same again changes nothing. Its secret is sealed for this warehouse alone. */
export const putWarehouse =
  ({ deps: { audit, sealer, settings }, warehouses }: PutWarehouseParts) =>
  async (
    warehouseId: string,
    body: WarehouseBody,
    ctx: Pick<RouteContext, 'actor' | 'from' | 'ifMatch'>,
  ): Promise<WarehouseRecord> => {
    const context = warehouseEntity(warehouseId);
    const rules = { allowPrivate: settings.allowPrivateUrls };
    const baseUrl = body.wms && (await assertCallableUrl(body.wms.baseUrl, 'wms.baseUrl', rules));

    return audit.record(context, async (session) => {
      const before = await warehouses.byId(warehouseId, session);
      assertRevision(ctx.ifMatch, before?.revision ?? 0);
      const known = secretOf(before, sealer);
      const isSecretNew = known !== body.wms?.secret;
      const at = new Date();
      const next: WarehouseRecord = {
        _id: warehouseId,
        name: body.name,
        province: body.province,
        city: body.city,
        wms:
          body.wms && baseUrl !== undefined
            ? {
                type: body.wms.type,
                baseUrl,
                appKey: body.wms.appKey,
                secretSealed:
                  !isSecretNew && before?.wms
                    ? before.wms.secretSealed
                    : sealer.seal({ secret: body.wms.secret }, context),
                customerId: body.wms.customerId,
              }
            : null,
        revision: (before?.revision ?? 0) + 1,
        updatedAt: at,
      };
      if (before && !isSecretNew && isDeepStrictEqual(facets(before), facets(next)))
        return { draft: null, result: before };
      if (!(await warehouses.write(next, before?.revision ?? 0, session)))
        throw new Problem('conflict', { detail: 'Somebody else changed the warehouse at this moment; read it again' });
      return {
        draft: {
          at,
          actor: ctx.actor,
          from: ctx.from,
          action: before ? 'warehouse.changed' : 'warehouse.created',
          detail: isSecretNew ? { credentialsChanged: ['secret'] } : {},
          before: before && facets(before),
          after: facets(next),
        },
        result: next,
      };
    });
  };

/** What cannot be opened any more counts as absent: it is being replaced. */
const secretOf = (warehouse: WarehouseRecord | null, sealer: Pick<ApiDeps['sealer'], 'unseal'>): string | undefined => {
  if (!warehouse?.wms) return undefined;
  try {
    return sealer.unseal<{ secret: string }>(warehouse.wms.secretSealed, warehouseEntity(warehouse._id)).secret;
  } catch {
    return undefined;
  }
};

/** What the audit shows; no secret. */
const facets = ({ name, province, city, wms }: WarehouseRecord) => ({
  name,
  province,
  city,
  wms: wms && { type: wms.type, baseUrl: wms.baseUrl, appKey: wms.appKey, customerId: wms.customerId },
});
