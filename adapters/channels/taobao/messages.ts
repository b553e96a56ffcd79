import { JSONParse } from 'json-with-bigint';
import { z } from 'zod';
import { AdapterError } from '../../../domain/failures.ts';
import type { PlatformMessage } from '../channel-port.ts';
import type { TopCall } from './top-client.ts';
import { TAOBAO, TopRefusal } from './top-error.ts';
import { fromTopTime } from './top-time.ts';
import { topIdSchema } from './trade-schema.ts';

const LEAST = 10;
const MOST = 200;
/** Of all that a shop may be told, what is about its trades. */
const TRADE_TOPIC = /^taobao_(trade|refund)_/;

const messageSchema = z.object({
  id: topIdSchema,
  topic: z.string().max(200).catch(''),
  content: z.string().catch(''),
  pub_time: z.string().catch(''),
});

const consumedSchema = z
  .object({ messages: z.object({ tmc_message: z.array(messageSchema).nullish() }).nullish() })
  .transform(({ messages }) => messages?.tmc_message ?? []);

const contentSchema = z.object({ tid: topIdSchema });
const anything = z.looseObject({});

/** Sellers whose messages this process has lately asked for, by a name that holds no secret, with the time of it. */
const permittedAt = new Map<string, number>();
const PERMIT_AGAIN_MS = 600_000;
const MOST_PERMITTED = 10_000;

/** Without it, the platform keeps no messages of this seller. Safe to repeat; asked again now and then only. */
export const permitMessages = async (call: TopCall, seller: string, signal?: AbortSignal): Promise<void> => {
  if (Date.now() - (permittedAt.get(seller) ?? 0) < PERMIT_AGAIN_MS) return;
  try {
    await call({ method: 'taobao.tmc.user.permit', params: {}, answer: anything, effect: 'reads' }, signal);
  } catch (error) {
    // Apps whose messages were permitted elsewhere may not be allowed to do it themselves.
    const isFinal = error instanceof TopRefusal && ['declined', 'invalid', 'notFound'].includes(error.kind);
    if (!isFinal) throw error;
  }
  if (permittedAt.size >= MOST_PERMITTED) permittedAt.clear();
  permittedAt.set(seller, Date.now());
};

export const consumeMessages = async (
  call: TopCall,
  groupName: string | undefined,
  limit: number,
  signal?: AbortSignal,
): Promise<PlatformMessage[]> => {
  const messages = await call(
    {
      method: 'taobao.tmc.messages.consume',
      params: { group_name: groupOf(groupName), quantity: String(Math.min(MOST, Math.max(LEAST, limit))) },
      answer: consumedSchema,
      effect: 'reads',
    },
    signal,
  );
  return messages.slice(0, limit).map(({ id, topic, content, pub_time: sentAt }) => ({
    messageId: id,
    topic,
    platformOrderId: TRADE_TOPIC.test(topic) ? tidOf(content) : null,
    sentAt: fromTopTime(sentAt) ?? new Date().toISOString(),
  }));
};

/** Safe to repeat: what was confirmed before is passed over. */
export const confirmMessages = async (
  call: TopCall,
  groupName: string | undefined,
  messageIds: readonly string[],
  signal?: AbortSignal,
): Promise<void> => {
  for (let start = 0; start < messageIds.length; start += MOST) {
    await call(
      {
        method: 'taobao.tmc.messages.confirm',
        params: { group_name: groupOf(groupName), s_message_ids: messageIds.slice(start, start + MOST).join(',') },
        answer: anything,
        effect: 'changes',
      },
      signal,
    );
  }
};

const groupOf = (groupName: string | undefined): string => {
  if (groupName === undefined) throw new AdapterError(TAOBAO, 'invalid', 'the shop has no groupName for its messages');
  return groupName;
};

/** A message whose content cannot be read is about nothing that we know; the next poll finds what it meant. */
const tidOf = (content: string): string | null => {
  try {
    return contentSchema.safeParse(JSONParse(content)).data?.tid ?? null;
  } catch {
    return null;
  }
};
