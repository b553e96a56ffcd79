import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';

export type History = ReturnType<typeof historyFromJSON>;
type HistoryEvent = NonNullable<History['events']>[number];

/** Which payload of a history is otherwise: its input, an update or signal by name, the answer of the n-th step or activity. */
export interface Twin {
  of: 'input' | 'step' | 'activity' | `update ${string}` | `signal ${string}`;
  /** From 0. */
  nth?: number;
  // Payloads of all kinds; the story knows which.
  // oxlint-disable-next-line typescript/no-explicit-any
  change: (value: any) => unknown;
}

const payloadOf = (event: HistoryEvent, of: Twin['of']): Payload[] | null | undefined => {
  const [kind, name] = of.split(' ');
  if (kind === 'input') return event.workflowExecutionStartedEventAttributes?.input?.payloads;
  if (kind === 'step') return event.markerRecordedEventAttributes?.details?.['result']?.payloads;
  if (kind === 'activity') return event.activityTaskCompletedEventAttributes?.result?.payloads;
  if (kind === 'signal') {
    const signal = event.workflowExecutionSignaledEventAttributes;
    return signal?.signalName === name ? signal?.input?.payloads : undefined;
  }
  const input = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
  return input?.name === name ? input?.args?.payloads : undefined;
};

/** A copy in which this one thing is otherwise. Throws when the history does not have it, or it would be the same. */
export const twinOf = (json: unknown, { of, nth = 0, change }: Twin): History => {
  const history = historyFromJSON(json);
  const found = (history.events ?? []).flatMap((event) => {
    const payloads = payloadOf(event, of);
    return payloads?.length ? [payloads] : [];
  })[nth];
  if (!found?.[0]) throw new Error(`the history has no ${of} ${nth}`);
  const before: unknown = defaultPayloadConverter.fromPayload(found[0]);
  const after = change(before);
  if (JSON.stringify(after) === JSON.stringify(before)) throw new Error('the twin is the same');
  found[0] = defaultPayloadConverter.toPayload(after);
  return history;
};
