import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { OrderState } from '../../domain/order-model.ts';
import {
  ORDER_WORKFLOW,
  caseResolvedSignal,
  commandUpdates,
  skuMappedSignal,
  orderStartOptions,
  stockReservedSignal,
  type CommandAnswer,
  type CommandInput,
  type StartOrderInput,
} from '../../workflows/contract.ts';
import type { orderWorkflow } from '../../workflows/order-workflow.ts';
import { Problem } from '../errors.ts';
import { KeyedLimit } from './keyed-limit.ts';
import { isEnded, isNotNow, refusalOf } from './update-failures.ts';

export type StartInput = Omit<StartOrderInput, 'carried'>;

export interface SendInput extends CommandInput {
  /** The same again is the same update, whichever process sends it. */
  updateId: string;
}

/** The engine takes ten updates in flight per workflow; beyond, it refuses them and slows down. */
const MOST_IN_FLIGHT = 8;
const START_WITHIN_MS = 3000;
const ANSWER_WITHIN_MS = 15_000;
const SIGNAL_WITHIN_MS = 5000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** The client side of the order workflow's contract: how it is started, asked and told. */
export class OrderDeskClient {
  readonly #client: Client;
  readonly #inFlight = new KeyedLimit(MOST_IN_FLIGHT);

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts an order's workflow once; false when it has been started before. Throws when Temporal cannot be reached. */
  async start(input: StartInput): Promise<boolean> {
    return (await this.#start(input, { workflowIdReusePolicy: 'REJECT_DUPLICATE' })) !== null;
  }

  /** Goes on with a cancelled order in a new run, whose id it returns; null when one is under way. */
  async reinstate(input: StartInput & { carried: OrderState }): Promise<string | null> {
    return this.#start(input, { workflowIdReusePolicy: 'ALLOW_DUPLICATE' });
  }

  /** Ends a run that could not take the order over. */
  async giveUp(orderId: string, runId: string, reason: string): Promise<void> {
    await this.#client.workflow.getHandle(orderWorkflowId(orderId), runId).terminate(reason);
  }

  /**
   * Sends a command and waits for its answer; `ended` when there is no running workflow to ask. What the engine cannot
   * take at the moment is sent again, as the same update. Throws 503 when there is no answer in time: the command may
   * then still be carried out, and the same `updateId` finds out.
   */
  async send(orderId: string, { updateId, ...input }: SendInput): Promise<CommandAnswer | 'ended'> {
    const deadline = Date.now() + ANSWER_WITHIN_MS;
    const options = { args: [{ at: new Date().toISOString(), ...input }] as [CommandInput], updateId };
    return this.#inFlight.run(orderId, () =>
      this.#persist(orderId, deadline, (handle) => handle.executeUpdate(commandUpdates[input.command.type], options)),
    );
  }

  /** What an order, which may have ended since, answered to a command; null when it was never asked. */
  async answerGiven(orderId: string, updateId: string): Promise<CommandAnswer | null> {
    const update = this.#client.workflow.getHandle(orderWorkflowId(orderId)).getUpdateHandle<CommandAnswer>(updateId);
    try {
      return await this.#within(Date.now() + SIGNAL_WITHIN_MS, () => update.result());
    } catch (error) {
      if (isEnded(error)) return null;
      const answer = refusalOf(error);
      if (answer) return answer;
      throw error;
    }
  }

  /** False when there is no running workflow to tell. */
  async tellCaseResolved(orderId: string, caseId: string): Promise<boolean> {
    return this.#signal(orderId, (handle) => handle.signal(caseResolvedSignal, { caseId }));
  }

  /** False when there is no running workflow to tell. */
  async tellSkuMapped(orderId: string, mapping: { platformSku: string; skuCode: string }): Promise<boolean> {
    return this.#signal(orderId, (handle) => handle.signal(skuMappedSignal, mapping));
  }

  /** False when there is no running workflow to tell. */
  async tellStockReserved(orderId: string, round: number): Promise<boolean> {
    return this.#signal(orderId, (handle) => handle.signal(stockReservedSignal, { round }));
  }

  async #signal(orderId: string, send: (handle: WorkflowHandle) => Promise<void>): Promise<boolean> {
    const deadline = Date.now() + SIGNAL_WITHIN_MS;
    const answer = await this.#persist(orderId, deadline, async (handle) => {
      await send(handle);
      return { revision: 0 };
    });
    return answer !== 'ended';
  }

  async #persist(
    orderId: string,
    deadline: number,
    ask: (handle: WorkflowHandle) => Promise<CommandAnswer>,
  ): Promise<CommandAnswer | 'ended'> {
    const handle = this.#client.workflow.getHandle(orderWorkflowId(orderId));
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#within(deadline, () => ask(handle));
      } catch (error) {
        if (isEnded(error)) return 'ended';
        const answer = refusalOf(error);
        if (answer) return answer;
        if (!isNotNow(error)) throw error;
        if (Date.now() + pauseMs >= deadline) throw noAnswer(error);
        await sleep(pauseMs);
      }
    }
  }

  /** The connection repeats calls by itself past the deadline that they were given; callers do not wait for that. */
  async #within<T>(deadline: number, call: () => Promise<T>): Promise<T> {
    const isAnswered = new AbortController();
    const late = sleep(deadline - Date.now(), undefined, { signal: isAnswered.signal }).then(() => {
      throw noAnswer(new Error('no answer within the time'));
    });
    try {
      return await Promise.race([this.#client.withDeadline(deadline, call), late]);
    } finally {
      isAnswered.abort();
    }
  }

  async #start(
    input: StartOrderInput,
    policy: { workflowIdReusePolicy: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE' },
  ): Promise<string | null> {
    try {
      const handle = await this.#within(Date.now() + START_WITHIN_MS, () =>
        this.#client.workflow.start<typeof orderWorkflow>(ORDER_WORKFLOW, {
          ...policy,
          ...orderStartOptions(input),
        }),
      );
      return handle.firstExecutionRunId;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
      throw error;
    }
  }
}

const noAnswer = (cause: unknown): Problem =>
  new Problem('unavailable', {
    detail: 'The order did not answer in time; ask again with the same Idempotency-Key',
    retryAfterSec: 2,
    cause,
  });
