import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { auditFacets } from '../domain/order-view.ts';
import { decide } from '../domain/order-decide.ts';
import { initialState } from '../domain/order-life.ts';
import { nextDeadline } from '../domain/order-timers.ts';
import { orderWorkflowId } from '../domain/ids.ts';
import { refuse, withOutcome, type StepContext } from '../domain/order-step.ts';
import { statusOf } from '../domain/order-status.ts';
import { waitingFor } from '../domain/order-waits.ts';
import type { OrderCommand, OrderFact, OrderMessage, Origin } from '../domain/order-messages.ts';
import type { OrderState } from '../domain/order-model.ts';
import type { Refusal } from '../domain/failures.ts';
import { commitStep, commitStepDurably, reportExhausted } from './activity-proxies.ts';
import type { CommitStepInput } from '../activities/order-activities.ts';
import {
  caseResolvedSignal,
  commandUpdates,
  parcelShippedSignal,
  searchAttributes,
  searchedStatusOf,
  skuMappedSignal,
  stockReservedSignal,
  type CommandAnswer,
  type CommandInput,
  type OrderWorkflowInput,
} from './contract.ts';

const TIME: Origin = { actor: { kind: 'system', id: 'timer' } };
const ENGINE: Origin = { actor: { kind: 'system', id: 'orderhub' } };

/** Far below the engine's own limits, so that an order's history stays quick to load and to replay. */
const CONTINUE_AT_EVENTS = 2000;
/** A date far ahead is waited for in parts. */
const LONGEST_TIMER_MS = 30 * 86_400_000;
const RETRY_EXHAUSTED_AFTER = '15m';

interface Entry {
  message: OrderMessage;
  origin: Origin;
  expectedRevision?: number;
  answer?: CommandAnswer;
}

/** Where an order's messages are received, checked and applied one after the other; the story decides what it waits for. */
export class OrderDesk {
  private state: OrderState;
  private readonly input: OrderWorkflowInput;
  private readonly firstRunId: string;
  private readonly inbox: Entry[] = [];
  private stageSince = Date.now();
  private isRetryAsked = false;
  private searched: string;

  constructor(input: OrderWorkflowInput) {
    this.input = input;
    this.state = input.carried ?? initialState(input.snapshot);
    this.firstRunId = input.firstRunId ?? workflowInfo().firstExecutionRunId;
    this.searched = input.opening === 'opened' && !input.carried ? this.searchKey(this.state) : '';
    this.receive();
  }

  get order(): OrderState {
    return this.state;
  }

  /** Applies messages as they come, and the stage's deadline when it passes, for as long as `stage` holds. */
  async attend(stage: (order: OrderState) => boolean): Promise<void> {
    this.stageSince = Date.now();
    while (!this.state.ended && stage(this.state)) {
      const entry = this.inbox[0] ?? (await this.nextMessage());
      if (entry) {
        await this.apply(entry);
        this.inbox.shift();
      }
      await this.continueWhenLong();
    }
  }

  /** Applies one message of the story itself. */
  async act(message: OrderFact, origin: Origin = ENGINE): Promise<void> {
    await this.apply({ message, origin });
  }

  /** Answers whoever still waits, so that nothing is lost when the run ends. */
  async close(): Promise<OrderState> {
    while (this.inbox[0]) {
      await this.apply(this.inbox[0]);
      this.inbox.shift();
    }
    await condition(allHandlersFinished);
    return this.state;
  }

  private receive(): void {
    for (const [type, update] of Object.entries(commandUpdates)) {
      setHandler(update, (input: CommandInput) => this.submit(input), {
        validator: (input: CommandInput) => this.validate(type, input),
        description: `${type}: answered when the order's view shows it`,
      });
    }
    const note = (message: OrderFact, origin: Origin = ENGINE) => this.inbox.push({ message, origin });
    setHandler(stockReservedSignal, ({ round }) => void note({ type: 'stockReserved', round }));
    setHandler(skuMappedSignal, ({ platformSku, skuCode }) => void note({ type: 'skuMapped', platformSku, skuCode }));
    setHandler(parcelShippedSignal, ({ courier, trackingNo }) => void note({ type: 'parcelShipped', courier, trackingNo }));
    setHandler(caseResolvedSignal, ({ caseId }) => {
      this.isRetryAsked = true;
      note({ type: 'caseResolved', caseId });
    });
  }

  private validate(type: string, { command, expectedRevision }: CommandInput): void {
    if (command.type !== type) throw ApplicationFailure.nonRetryable(`this update takes ${type}`, 'invalid_request');
    // Before the order is opened nothing can be judged yet; the story refuses what must be refused.
    if (this.state.revision === 0) return;
    const refusal = this.refusalOf(command, expectedRevision);
    if (refusal) throw ApplicationFailure.nonRetryable(refusal.detail, refusal.code, refusal);
  }

  private refusalOf(command: OrderCommand, expectedRevision: number | undefined): Refusal | null {
    const decision =
      expectedRevision !== undefined && expectedRevision !== this.state.revision
        ? refuse(this.state, 'stale_revision', `the order is at revision ${this.state.revision}, not ${expectedRevision}`)
        : decide(this.state, command, this.context());
    return decision.kind === 'refused' ? decision.refusal : null;
  }

  private async submit({ command, origin, expectedRevision }: CommandInput): Promise<CommandAnswer> {
    const entry: Entry = { message: command, origin, ...(expectedRevision === undefined ? {} : { expectedRevision }) };
    this.inbox.push(entry);
    await condition(() => entry.answer !== undefined);
    return entry.answer ?? { revision: this.state.revision };
  }

  private async nextMessage(): Promise<Entry | undefined> {
    const deadline = nextDeadline(this.state, this.input.timers, this.stageSince);
    setCurrentDetails(waitingFor(this.state, deadline.at));
    const waitMs = Math.min(deadline.at - Date.now(), LONGEST_TIMER_MS);
    if (waitMs > 0) await condition(() => this.inbox.length > 0, waitMs);
    if (this.inbox[0] || Date.now() < deadline.at) return this.inbox[0];
    this.stageSince = Date.now();
    await this.apply({ message: deadline.fact, origin: TIME });
    return undefined;
  }

  private async apply(entry: Entry): Promise<void> {
    const { message, origin, expectedRevision } = entry;
    if (expectedRevision !== undefined && expectedRevision !== this.state.revision) {
      entry.answer = {
        refusal: { code: 'stale_revision', detail: `the order is at revision ${this.state.revision}, not ${expectedRevision}` },
      };
      return;
    }
    const decision = decide(this.state, message, this.context());
    if (decision.kind === 'refused') entry.answer = { refusal: decision.refusal };
    else if (decision.kind === 'unchanged') entry.answer = { revision: this.state.revision };
    else {
      const request: CommitStepInput = {
        step: decision.step,
        action: message.type,
        origin,
        at: this.context().now,
        before: auditFacets(this.state),
        runId: this.firstRunId,
      };
      const { outcome, auditHash } = await this.commit(request);
      if (outcome?.state === 'short') {
        entry.answer = { refusal: { code: 'rule_violation', detail: 'the warehouse has too little stock for the whole order' } };
        return;
      }
      const { next } = withOutcome(decision.step, outcome);
      this.state = { ...next, auditHash };
      entry.answer = { revision: this.state.revision };
      this.showSearchAttributes();
      if (message.type === 'ship') await this.tellParcelGroup(message.courier, message.trackingNo);
    }
  }

  private async commit(request: CommitStepInput): Promise<Awaited<ReturnType<typeof commitStep>>> {
    try {
      return await commitStep(request);
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
    for (;;) {
      try {
        return await commitStepDurably(request);
      } catch (error) {
        if (isCancellation(error)) throw error;
        await this.waitForHelp(request);
      }
    }
  }

  /** The step could not be written for its whole time: a person is told, and it is tried again later or when they say so. */
  private async waitForHelp(request: CommitStepInput): Promise<void> {
    const { orderId, shopId } = this.state.snapshot;
    const detail = `step ${request.step.next.revision} (${request.action}) could not be written`;
    setCurrentDetails(`${statusOf(this.state)}: ${detail}; tried again every 15 minutes`);
    upsertSearchAttributes([{ key: searchAttributes.caseCode, value: ['activity_exhausted'] }]);
    this.searched = '';
    this.isRetryAsked = false;
    await reportExhausted({ orderId, shopId, revision: request.step.next.revision, detail }).catch(() => undefined);
    await condition(() => this.isRetryAsked, RETRY_EXHAUSTED_AFTER);
  }

  private async tellParcelGroup(courier: string, trackingNo: string): Promise<void> {
    const { parcelGroup, snapshot } = this.state;
    for (const orderId of parcelGroup?.orderIds ?? []) {
      if (orderId === snapshot.orderId) continue;
      const other = getExternalWorkflowHandle(orderWorkflowId(orderId));
      await other.signal(parcelShippedSignal, { courier, trackingNo }).catch(() => undefined);
    }
  }

  /** Search attributes follow holds, cases, backorders and the end, never every status: an upsert is an event. */
  private showSearchAttributes(): void {
    const key = this.searchKey(this.state);
    if (key === this.searched) return;
    this.searched = key;
    upsertSearchAttributes([
      { key: searchAttributes.orderStatus, value: searchedStatusOf(statusOf(this.state)) },
      { key: searchAttributes.holdCode, value: this.state.holds.map(({ code }) => code) },
      { key: searchAttributes.caseCode, value: this.state.cases.map(({ code }) => code) },
    ]);
  }

  private searchKey(state: OrderState): string {
    // The client starts the workflow with what a stored order will be when nothing stands in its way.
    const status = state.revision === 0 && statusOf(state) === 'backordered' ? 'processing' : searchedStatusOf(statusOf(state));
    return JSON.stringify([status, state.holds.map(({ code }) => code), state.cases.map(({ code }) => code)]);
  }

  private context(): StepContext {
    return { now: new Date(Date.now()).toISOString(), timers: this.input.timers };
  }

  private async continueWhenLong(): Promise<void> {
    const info = workflowInfo();
    if (this.state.ended || this.inbox.length > 0) return;
    if (!info.continueAsNewSuggested && info.historyLength < CONTINUE_AT_EVENTS) return;
    await condition(allHandlersFinished);
    if (this.inbox.length > 0) return;
    await continueAsNew<(input: OrderWorkflowInput) => Promise<unknown>>({
      ...this.input,
      carried: this.state,
      firstRunId: this.firstRunId,
    });
  }
}
