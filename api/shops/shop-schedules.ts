import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type {
  Client,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  ScheduleSummary,
  Workflow,
} from '@temporalio/client';
import type { ShopRecord } from '../../models/shop-records.ts';
import { CHANNELS_QUEUE, searchAttributes } from '../../workflows/contract.ts';
import type { ShopWorkflowInput } from '../../workflows/channel-contract.ts';
import { scheduleNeedsOf, type ScheduleNeeds, type WantedSchedule } from './wanted-schedules.ts';
import { withinTime } from './within-time.ts';

/** What is missed while the engine is away is made up for once; a poll collects everything since the one before anyway. */
const CATCH_UP = '5 minutes';
const LONGEST_JITTER_MS = 2000;
const WITHIN_MS = 4000;
const LIST_WITHIN_MS = 8000;

/** What a list says of a schedule; it may lag behind by seconds. */
export interface SeenSchedule {
  workflowType: string | undefined;
  everyMs: number | undefined;
  offsetMs: number | undefined;
  paused: boolean;
}

type Options = Omit<ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>, 'scheduleId'>;

/** The Temporal Schedules of shops. Everything may be repeated; throws when Temporal cannot be reached in time. */
export class ShopSchedules {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Makes, changes or removes the shop's schedules until they are as its record needs them. */
  async apply(shop: ShopRecord, isPaused: boolean): Promise<void> {
    const { wanted, unwanted } = scheduleNeedsOf(shop, isPaused);
    for (const schedule of wanted) await this.#put(shop, schedule);
    for (const scheduleId of unwanted)
      await unlessMissing(() => this.#within(() => this.#client.schedule.getHandle(scheduleId).delete()));
  }

  /** Starts one now, or as soon as the one under way is done; several at once are one. False when there is no schedule. */
  async trigger(scheduleId: string): Promise<boolean> {
    return unlessMissing(() =>
      this.#within(() => this.#client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.BUFFER_ONE)),
    );
  }

  /** Every schedule that there is, those of others included. */
  async seen(): Promise<Map<string, SeenSchedule>> {
    const found = new Map<string, SeenSchedule>();
    await withinTime(this.#client, LIST_WITHIN_MS, async () => {
      for await (const summary of this.#client.schedule.list()) found.set(summary.scheduleId, seenOf(summary));
    });
    return found;
  }

  async #put(shop: ShopRecord, wanted: WantedSchedule): Promise<void> {
    const options = optionsOf(shop, wanted);
    const seen = await this.#describe(wanted.scheduleId);
    if (!seen) return this.#create(wanted, options);
    if (isAsWanted(seen, wanted)) return;
    const handle = this.#client.schedule.getHandle(wanted.scheduleId);
    await this.#within(() => handle.update(() => ({ ...options, state: { paused: wanted.paused } })));
    // Collecting goes on at once, and not an interval later.
    if (seen.paused && !wanted.paused) await this.trigger(wanted.scheduleId);
  }

  async #create({ scheduleId, paused }: WantedSchedule, options: Options): Promise<void> {
    try {
      await this.#within(() => this.#client.schedule.create({ ...options, scheduleId, state: { paused } }));
    } catch (error) {
      // Another process was faster; the sweep sees whether it had an older record.
      if (error instanceof ScheduleAlreadyRunning) return;
      throw error;
    }
    // Not by `triggerImmediately`: what that starts does not count as running, and others would start beside it.
    if (!paused) await this.trigger(scheduleId);
  }

  async #describe(scheduleId: string): Promise<SeenSchedule | null> {
    try {
      return seenOf(await this.#within(() => this.#client.schedule.getHandle(scheduleId).describe()));
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    }
  }

  async #within<T>(call: () => Promise<T>): Promise<T> {
    return withinTime(this.#client, WITHIN_MS, call);
  }
}

const optionsOf = ({ shopId, channel }: ShopRecord, wanted: WantedSchedule): Options => {
  const input: ShopWorkflowInput = { shopId };
  const typedSearchAttributes = [
    { key: searchAttributes.channel, value: channel },
    { key: searchAttributes.shopId, value: shopId },
  ];
  return {
    spec: {
      intervals: [{ every: wanted.everyMs, offset: wanted.offsetMs }],
      jitter: Math.min(LONGEST_JITTER_MS, wanted.everyMs / 10),
    },
    action: {
      type: 'startWorkflow',
      workflowType: wanted.workflowType,
      workflowId: wanted.workflowId,
      taskQueue: CHANNELS_QUEUE,
      args: [input],
      typedSearchAttributes,
      staticSummary: `${shopId} on ${channel}`,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP },
    typedSearchAttributes,
  };
};

const seenOf = ({ spec, action, state }: Pick<ScheduleSummary, 'spec' | 'action' | 'state'>): SeenSchedule => {
  const [interval] = spec?.intervals ?? [];
  return {
    workflowType: action?.workflowType,
    everyMs: interval?.every,
    offsetMs: interval?.offset,
    paused: state.paused,
  };
};

const isAsWanted = (seen: SeenSchedule, wanted: WantedSchedule): boolean =>
  seen.workflowType === wanted.workflowType &&
  seen.everyMs === wanted.everyMs &&
  (seen.offsetMs ?? 0) === wanted.offsetMs &&
  seen.paused === wanted.paused;

/** Whether a list agrees with what a shop needs. */
export const areAsNeeded = ({ wanted, unwanted }: ScheduleNeeds, seen: ReadonlyMap<string, SeenSchedule>): boolean =>
  unwanted.every((scheduleId) => !seen.has(scheduleId)) &&
  wanted.every((schedule) => {
    const found = seen.get(schedule.scheduleId);
    return found !== undefined && isAsWanted(found, schedule);
  });

/** False when there is no such schedule. */
const unlessMissing = async (call: () => Promise<unknown>): Promise<boolean> => {
  try {
    await call();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
};
