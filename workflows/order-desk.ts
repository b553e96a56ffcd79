import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { allowedActions } from '../domain/order-actions.ts';
import { auditFacets } from '../domain/order-view.ts';
import { decide } from '../domain/order-decide.ts';
import { initialState } from '../domain/order-life.ts';
import { nextDeadline } from '../domain/order-timers.ts';
import { orderWorkflowId } from '../domain/ids.ts';
import { refuse, UNCHANGED, withOutcome, type Decision, type Step, type StepContext } from '../domain/order-step.ts';
import { remainingLines } from '../domain/order-quantities.ts';
import { waitingFor } from '../domain/order-waits.ts';
import type { OrderFact, OrderMessage, Origin, ShipCommand } from '../domain/order-messages.ts';
import type { Cancellation, OrderState } from '../domain/order-model.ts';
import type { Refusal } from '../domain/failures.ts';
import type { CommitStepAnswer } from '../activities/order-activities.ts';
import { ErrandRunner } from './errand-runner.ts';
import { caseResolved, parcelShipped, platformChanged, skuMapped, stockReserved } from './order-news.ts';
import { SearchSigns } from './search-signs.ts';
import { StepWriter } from './step-writer.ts';
import {
  caseResolvedSignal,
  commandUpdates,
  parcelShippedSignal,
  platformChangedSignal,
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
/** A deadline that changed nothing is not looked at again before this. */
const LEAST_PAUSE_MS = 60_000;

interface Entry {
  message: OrderMessage;
  origin: Origin;
  expectedRevision?: number;
  recordRevision?: number;
  /** When a command was asked for. */
  at?: string;
  /** A deadline's time: the clock counts as at least this. */
  notBefore?: number;
  /** Somebody waits for it; what they sent may be nonsense. */
  isCommand?: boolean;
  /** Anybody who reaches the engine may have sent it: nonsense changes nothing. */
  isNews?: boolean;
  /** The errand whose outcome it is. */
  errand?: string | undefined;
  answer?: CommandAnswer;
}

/** Where an order's messages are received, checked and applied one after the other; the story decides what it waits for. */
export class OrderDesk {
  private state: OrderState;
  private readonly input: OrderWorkflowInput;
  private readonly firstRunId: string;
  private readonly inbox: Entry[] = [];
  private readonly writer = new StepWriter();
  /** Cancels that wait for warehouses to stop, each with what had been cancelled before it. */
  private cancels: { entry: Entry; before: Cancellation | null }[] = [];
  private readonly errands = new ErrandRunner({
    state: () => this.state,
    report: (message, errand) => void this.inbox.push({ message, origin: ENGINE, errand }),
  });
  /** When the present wait began: by the times of the steps, which are in the history, wherever there is one. */
  private waitsSince = Date.now();
  private quietUntil = 0;
  private readonly signs: SearchSigns;

  constructor(input: OrderWorkflowInput) {
    this.input = input;
    this.state = input.carried ?? initialState(input.snapshot);
    this.firstRunId = input.firstRunId ?? workflowInfo().firstExecutionRunId;
    this.signs = new SearchSigns(input.carried ? null : this.state);
    this.receive();
    if (input.firstRunId !== undefined) this.errands.look();
  }

  /** Applies messages as they come, and the stage's deadline when it passes, for as long as `stage` holds. */
  async attend(stage: (order: OrderState) => boolean): Promise<void> {
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
    for (;;) {
      await condition(() => this.inbox.length > 0 || !this.errands.isCalling);
      if (!this.inbox[0]) break;
      await this.apply(this.inbox[0]);
      this.inbox.shift();
    }
    await condition(allHandlersFinished);
    setCurrentDetails(waitingFor(this.state, null));
    return this.state;
  }

  private receive(): void {
    for (const [type, update] of Object.entries(commandUpdates)) {
      setHandler(update, (input: CommandInput) => this.submit(input), {
        validator: (input: CommandInput) => this.validate(type, input),
        description: `${type}: answered when the order's view shows it`,
      });
    }
    const note = (message: OrderFact | null) =>
      void (message && this.inbox.push({ message, origin: ENGINE, isNews: true }));
    setHandler(stockReservedSignal, (news) => note(stockReserved(news)));
    setHandler(skuMappedSignal, (news) => note(skuMapped(news)));
    setHandler(parcelShippedSignal, (news) => note(parcelShipped(news)));
    setHandler(platformChangedSignal, (news) => note(platformChanged(news)));
    setHandler(caseResolvedSignal, (news) => {
      this.writer.offerHelp();
      this.errands.offerHelp();
      note(caseResolved(news));
    });
  }

  private validate(type: string, input: CommandInput | undefined): void {
    if (input?.command?.type !== type || !input.origin?.actor)
      throw ApplicationFailure.nonRetryable(`this update takes ${type}`, 'invalid_request');
    // Before the order is opened nothing can be judged yet; the story refuses what must be refused.
    if (this.state.revision === 0) return;
    const entry = entryOf(input);
    // A step is being written, or was written by a worker that died: what is known here is no longer what stands.
    if (this.isBehind(entry)) return;
    const decision = this.judge(entry);
    if (decision.kind !== 'refused') return;
    const { refusal } = decision;
    throw ApplicationFailure.nonRetryable(refusal.detail, refusal.code, refusal);
  }

  private async submit(input: CommandInput): Promise<CommandAnswer> {
    const entry = entryOf(input);
    this.inbox.push(entry);
    await condition(() => entry.answer !== undefined);
    return entry.answer ?? { revision: this.state.revision };
  }

  private async nextMessage(): Promise<Entry | undefined> {
    const deadline = nextDeadline(this.state, this.input.timers, this.waitsSince);
    const due = deadline.at > Date.now() ? deadline.at : Math.max(deadline.at, this.quietUntil);
    setCurrentDetails(waitingFor(this.state, deadline.at));
    // Always by a timer, and what rings has come: the clock of a task that served an update may be another at replay, so
    // that no command may hang on a comparison with it.
    // An outside call ends in time and is then reported: a reminder far ahead needs no timer of its own meanwhile.
    if (this.errands.isCalling && deadline.fact.type === 'stillWaiting') {
      await condition(() => this.inbox.length > 0);
      this.writer.noteRecorded();
      return this.inbox[0];
    }
    const waitMs = Math.max(1, Math.min(due - Date.now(), LONGEST_TIMER_MS));
    await condition(() => this.inbox.length > 0, waitMs);
    this.writer.noteRecorded();
    if (this.inbox[0] || waitMs === LONGEST_TIMER_MS) return this.inbox[0];
    const { revision } = this.state;
    this.waitsSince = Math.max(Date.now(), deadline.at);
    await this.apply({ message: deadline.fact, origin: TIME, notBefore: deadline.at });
    if (this.state.revision === revision) this.quietUntil = Date.now() + LEAST_PAUSE_MS;
    return undefined;
  }

  private async apply(entry: Entry): Promise<void> {
    await this.decideAndWrite(entry);
    this.errands.look(entry.errand);
    this.answerCancels();
  }

  private async decideAndWrite(entry: Entry): Promise<void> {
    const { message, origin } = entry;
    if (this.isBehind(entry)) await this.catchUp();
    for (;;) {
      const decision = this.judge(entry);
      if (decision.kind !== 'step') {
        if (decision.kind === 'refused') entry.answer = { refusal: decision.refusal };
        else this.answer(entry);
        return;
      }
      const answer = await this.writer.write({
        step: decision.step,
        action: message.type,
        message,
        origin,
        at: this.context(entry).now,
        before: auditFacets(this.state),
        runId: this.firstRunId,
      });
      if (answer.outcome?.state === 'short') {
        entry.answer = {
          refusal: { code: 'rule_violation', detail: 'the warehouse has too little stock for the whole order' },
        };
        return;
      }
      const isOurs = this.take(decision.step, message, answer);
      this.noticeRecovery();
      this.signs.show(this.state);
      if (!isOurs) continue;
      this.answer(entry);
      if (message.type === 'ship') await this.tellParcelGroup(message);
      return;
    }
  }

  private answer(entry: Entry): void {
    if (entry.message.type === 'cancel' && this.state.cancelRequest)
      this.cancels.push({ entry, before: this.state.cancellation });
    else entry.answer = { revision: this.state.revision };
  }

  /** Whoever asked for a cancel hears what the warehouses said to it. */
  private answerCancels(): void {
    const { state } = this;
    if (state.cancelRequest || this.cancels.length === 0) return;
    const detail = 'the warehouse has packed the goods and cannot stop them; the order goes on';
    const refusal: Refusal = { code: 'action_not_allowed', detail, allowedActions: allowedActions(state) };
    for (const { entry, before } of this.cancels) {
      const isCancelled = state.cancellation !== before && remainingLines(state).length === 0;
      entry.answer = isCancelled ? { revision: state.revision } : { refusal };
    }
    this.cancels = [];
  }

  private isBehind({ recordRevision = 0 }: Entry): boolean {
    return recordRevision > this.state.revision && !this.state.ended;
  }

  /**
   * A worker wrote a step and died before the history had it, and whoever asked for it did not ask again. A record that is
   * ahead writes nothing, whatever it is asked to write, but answers with the step that it has.
   */
  private async catchUp(): Promise<void> {
    const message: OrderFact = { type: 'stillWaiting' };
    const decision = this.judge({ message, origin: ENGINE });
    if (decision.kind !== 'step') return;
    const { now: at } = this.context({});
    const { step } = decision;
    const request = { step, action: message.type, message, origin: ENGINE, at, before: auditFacets(this.state) };
    this.take(step, message, await this.writer.write({ ...request, runId: this.firstRunId }));
    this.noticeRecovery();
    this.signs.show(this.state);
  }

  private judge(entry: Entry): Decision {
    const { message, expectedRevision, isCommand, isNews } = entry;
    const { state } = this;
    if (expectedRevision !== undefined && expectedRevision !== state.revision)
      return refuse(state, 'stale_revision', `the order is at revision ${state.revision}, not ${expectedRevision}`);
    try {
      return decide(state, message, this.context(entry));
    } catch (error) {
      if (isNews) return UNCHANGED;
      if (!isCommand) throw error;
      return refuse(state, 'rule_violation', 'the command is malformed');
    }
  }

  /**
   * Goes to the state after the step that is written. That may be another than ours, which a worker wrote and then died
   * before the history had it: it is made up for, and false says that our message is still to be applied. Times are
   * those of the answer, which is in the history, and so the same in the record, now and at every replay.
   */
  private take(ours: Step, message: OrderMessage, { outcome, auditHash, at, written }: CommitStepAnswer): boolean {
    const known = written ?? (at === undefined ? undefined : { message, at });
    const found = known && decide(this.state, known.message, { timers: this.input.timers, now: known.at });
    const step = found?.kind === 'step' ? found.step : ours;
    if (known) this.waitsSince = Date.parse(known.at);
    this.state = { ...withOutcome(step, outcome).next, auditHash };
    return !written || step === ours || JSON.stringify(written.message) === JSON.stringify(message);
  }

  private noticeRecovery(): void {
    const recovery = this.writer.takeRecovery();
    if (!recovery) return;
    this.signs.forget();
    const { caseId } = recovery;
    if (caseId !== null) this.inbox.push({ message: { type: 'stepRecovered', caseId }, origin: ENGINE });
  }

  private async tellParcelGroup({ warehouseId, courier, trackingNo }: ShipCommand): Promise<void> {
    const { parcelGroup, snapshot } = this.state;
    if (!parcelGroup) return;
    const { groupId } = parcelGroup;
    for (const orderId of parcelGroup.orderIds) {
      if (orderId === snapshot.orderId) continue;
      const other = getExternalWorkflowHandle(orderWorkflowId(orderId));
      await other.signal(parcelShippedSignal, { groupId, warehouseId, courier, trackingNo }).catch(() => undefined);
    }
  }

  private context({ at, notBefore = 0 }: Pick<Entry, 'at' | 'notBefore'>): StepContext {
    const { timers } = this.input;
    return { now: at ?? new Date(Math.max(Date.now(), notBefore)).toISOString(), timers };
  }

  private async continueWhenLong(): Promise<void> {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    // An errand that only waits to be tried again is taken up by the next run.
    const isBusy = () => this.inbox.length > 0 || this.errands.isCalling || this.cancels.length > 0;
    if (this.state.ended || isBusy()) return;
    if (!continueAsNewSuggested && historyLength < (this.input.continueAtEvents ?? CONTINUE_AT_EVENTS)) return;
    await condition(() => allHandlersFinished() || isBusy());
    if (isBusy()) return;
    await continueAsNew<(input: OrderWorkflowInput) => Promise<unknown>>({
      ...this.input,
      carried: this.state,
      firstRunId: this.firstRunId,
    });
  }
}

const entryOf = ({ command, origin, at, expectedRevision, recordRevision }: CommandInput): Entry => ({
  message: command,
  origin,
  isCommand: true,
  ...(typeof at === 'string' && Number.isFinite(Date.parse(at)) ? { at: new Date(at).toISOString() } : {}),
  ...(expectedRevision === undefined ? {} : { expectedRevision }),
  ...(recordRevision === undefined ? {} : { recordRevision }),
});
