import { CAPABILITIES } from '../../adapters/channels/capabilities.ts';
import type { ShopRecord } from '../../models/shop-records.ts';
import {
  MESSAGES_WORKFLOW,
  POLL_WORKFLOW,
  messagesScheduleId,
  messagesWorkflowId,
  pollScheduleId,
  pollWorkflowId,
} from '../../workflows/channel-contract.ts';

/** A Temporal Schedule as a shop needs it. */
export interface WantedSchedule {
  scheduleId: string;
  workflowType: string;
  workflowId: string;
  everyMs: number;
  /** Shops with the same interval do not all come at the same moment. */
  offsetMs: number;
  paused: boolean;
}

export interface ScheduleNeeds {
  wanted: WantedSchedule[];
  unwanted: string[];
}

const MESSAGES_EVERY_SEC = 15;

export const isCollected = ({ channel }: Pick<ShopRecord, 'channel'>): boolean => CAPABILITIES[channel] !== undefined;

/** What a shop's record says about its schedules; nothing for one whose orders are not collected. */
export function scheduleNeedsOf(shop: ShopRecord, isPaused: boolean): ScheduleNeeds {
  const { shopId, channel, polling, credentialsSet } = shop;
  const can = CAPABILITIES[channel];
  if (!can) return { wanted: [], unwanted: [] };
  const paused = isPaused || !polling.enabled;
  const poll: WantedSchedule = {
    scheduleId: pollScheduleId(shopId),
    workflowType: POLL_WORKFLOW,
    workflowId: pollWorkflowId(shopId),
    everyMs: polling.everySec * 1000,
    offsetMs: spread(shopId, polling.everySec) * 1000,
    paused,
  };
  const messages: WantedSchedule = {
    scheduleId: messagesScheduleId(shopId),
    workflowType: MESSAGES_WORKFLOW,
    workflowId: messagesWorkflowId(shopId),
    everyMs: MESSAGES_EVERY_SEC * 1000,
    offsetMs: spread(shopId, MESSAGES_EVERY_SEC) * 1000,
    paused,
  };
  const pullsMessages = can.messages === 'pull' && credentialsSet.includes('groupName');
  return pullsMessages
    ? { wanted: [poll, messages], unwanted: [] }
    : { wanted: [poll], unwanted: [messages.scheduleId] };
}

const spread = (shopId: string, everySec: number): number => {
  let hash = 7;
  for (const char of shopId) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 1_000_003;
  return hash % everySec;
};
