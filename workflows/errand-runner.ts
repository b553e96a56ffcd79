import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow';
import { errandsOf, handOverKey, type Errand } from '../domain/errands.ts';
import type { OrderFact } from '../domain/order-messages.ts';
import type { OrderState } from '../domain/order-model.ts';
import { handOver, stopDelivery, tellPlatform } from './activity-proxies.ts';

/** After all tries have failed it is tried again when its case is resolved, and from time to time. */
const PAUSE_MS = 3_600_000;

export interface ErrandDesk {
  /** The order as it is now. */
  state(): OrderState;
  /** `key` is given when the errand is over: it stays taken until the order has heard of it. */
  report(fact: OrderFact, key?: string): void;
}

/** Carries out what the order's state asks of outside systems, beside whatever else happens to the order. */
export class ErrandRunner {
  private readonly desk: ErrandDesk;
  private readonly taken = new Set<string>();
  private calls = 0;
  private helpOffered = 0;

  constructor(desk: ErrandDesk) {
    this.desk = desk;
  }

  /** Whether an outside call is under way; each ends in time and is then reported. */
  get isCalling(): boolean {
    return this.calls > 0;
  }

  /** A person has dealt with a case of the order: what has failed is tried again at once. */
  offerHelp(): void {
    this.helpOffered += 1;
  }

  /** Takes up what is to be done; `done` is an errand whose outcome the order has heard. */
  look(done?: string): void {
    if (done !== undefined) this.taken.delete(done);
    for (const errand of errandsOf(this.desk.state())) {
      if (this.taken.has(errand.key) || this.mustWait(errand)) continue;
      this.taken.add(errand.key);
      void this.run(errand);
    }
  }

  /** A warehouse that is still being asked is not told to stop: it may take the goods after having been stopped. */
  private mustWait(errand: Errand): boolean {
    if (errand.kind === 'stop') return this.taken.has(handOverKey(errand.code));
    return errand.kind === 'tellPlatform' && [...this.taken].some((key) => key.startsWith('tell/'));
  }

  private async run(errand: Errand): Promise<void> {
    for (;;) {
      this.calls += 1;
      try {
        const fact = await carryOut(errand, this.desk.state());
        this.desk.report(fact, errand.key);
        return;
      } catch (error) {
        if (isCancellation(error)) throw error;
        this.desk.report({ type: 'errandStuck', errand: errand.key, detail: reasonOf(error) });
      } finally {
        this.calls -= 1;
      }
      const helped = this.helpOffered;
      const isWanted = () => errandsOf(this.desk.state()).some(({ key }) => key === errand.key);
      await condition(() => this.helpOffered > helped || !isWanted(), PAUSE_MS);
      if (isWanted()) continue;
      this.taken.delete(errand.key);
      this.look();
      return;
    }
  }
}

const carryOut = async (errand: Errand, { snapshot }: OrderState): Promise<OrderFact> => {
  switch (errand.kind) {
    case 'handOver': {
      const { code, warehouseId, lines, paidAt } = errand;
      const answer = await handOver({ code, warehouseId, snapshot, lines, courier: null, paidAt });
      return answer.state === 'done'
        ? { type: 'handedOver', code }
        : { type: 'handOverRefused', code, detail: answer.detail };
    }
    case 'stop': {
      const { code, warehouseId, reason } = errand;
      const answer = await stopDelivery({ code, warehouseId, reason });
      return answer.state === 'done'
        ? { type: 'deliveryStopped', code }
        : { type: 'stopRefused', code, detail: answer.detail };
    }
    case 'tellPlatform': {
      const { shipmentId, courier, trackingNo, lineIds, isPartial } = errand;
      const { shopId, platformOrderId } = snapshot;
      const answer = await tellPlatform({ shopId, platformOrderId, courier, trackingNo, lineIds, isPartial });
      return answer.state === 'told'
        ? { type: 'platformTold', shipmentId }
        : { type: 'tellRefused', shipmentId, detail: answer.detail };
    }
  }
};

const reasonOf = (error: unknown): string =>
  (error instanceof ActivityFailure ? error.cause?.message : undefined) ?? (error as Error).message;
