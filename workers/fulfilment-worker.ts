import { Worker } from '@temporalio/worker';
import type { Connection } from 'mongoose';
import { createFulfilmentActivities, type FulfilmentDeps } from '../activities/fulfilment-activities.ts';
import { QimenClient } from '../adapters/wms/qimen/qimen-client.ts';
import { WarehouseStore, warehouseEntity } from '../models/warehouse-records.ts';
import type { AppContext, RunningRole } from '../runtime/app-context.ts';
import { Sealer } from '../runtime/sealing.ts';
import { FULFILMENT_QUEUE } from '../workflows/contract.ts';
import { activityLog } from './activity-log.ts';

/** What the fulfilment activities work with, over the real store. */
export const fulfilmentDeps = (connection: Connection, sealer: Pick<Sealer, 'unseal'>): FulfilmentDeps => {
  const warehouses = new WarehouseStore(connection);
  return {
    warehouses: {
      async find(warehouseId) {
        const warehouse = await warehouses.byId(warehouseId);
        if (!warehouse?.wms) return null;
        const { name, province, city, wms } = warehouse;
        const { secret } = sealer.unseal<{ secret: string }>(wms.secretSealed, warehouseEntity(warehouseId));
        const { baseUrl, appKey, customerId } = wms;
        return { name, province, city, account: { warehouseId, baseUrl, appKey, secret, customerId } };
      },
    },
    createWmsClient: (account) => new QimenClient(account),
    unseal: (sealed) => sealer.unseal(sealed),
  };
};

/** Serves the fulfilment queue: warehouses' systems are told. No workflows run on it. */
export async function startFulfilmentWorker({
  config,
  logger,
  keyring,
  mongo,
  temporal,
}: AppContext): Promise<RunningRole> {
  const worker = await Worker.create({
    connection: temporal.connection,
    namespace: config.temporal.namespace,
    dataConverter: temporal.dataConverter,
    taskQueue: FULFILMENT_QUEUE,
    activities: createFulfilmentActivities(fulfilmentDeps(mongo, new Sealer(keyring))),
    interceptors: { activity: [activityLog(logger)] },
    maxConcurrentActivityTaskExecutions: 50,
    shutdownGraceTime: '5s',
    // Longer than a call may take.
    shutdownForceTime: '14s',
  });
  const running = worker.run();
  running.catch((error: unknown) => logger.error('the fulfilment worker failed', { error }));
  return {
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}
