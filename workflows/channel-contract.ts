import { defineSignal } from '@temporalio/workflow';
import type { CollectCounts } from '../domain/collect-counts.ts';

/** Of the Temporal Schedule that polls a shop, and of the workflows beneath it. */
export const pollScheduleId = (shopId: string): string => `poll/${shopId}`;
export const messagesScheduleId = (shopId: string): string => `messages/${shopId}`;
export const pollWorkflowId = (shopId: string): string => `poll/${shopId}`;
export const messagesWorkflowId = (shopId: string): string => `messages/${shopId}`;
export const backfillWorkflowId = (shopId: string, backfillId: string): string => `backfill/${shopId}/${backfillId}`;
export const distributeWorkflowId = (shopId: string): string => `distribute/${shopId}`;

export const POLL_WORKFLOW = 'pollShopWorkflow';
export const MESSAGES_WORKFLOW = 'shopMessagesWorkflow';
export const BACKFILL_WORKFLOW = 'backfillWorkflow';
export const DISTRIBUTE_WORKFLOW = 'distributeShopWorkflow';

export interface ShopWorkflowInput {
  shopId: string;
}

export interface BackfillInput {
  shopId: string;
  backfillId: string;
  /** RFC 3339, UTC, half open. */
  from: string;
  to: string;
  /** Of the run before. */
  carried?: BackfillCarried;
}

export interface BackfillCarried {
  windowsDone: number;
  counts: CollectCounts;
  isPaused: boolean;
}

export type { CollectCounts } from '../domain/collect-counts.ts';

/** The shop's collecting was paused: a backfill ends its window and waits. Told again, nothing changes. */
export const shopPausedSignal = defineSignal('shopPaused');
/** … and goes on. */
export const shopResumedSignal = defineSignal('shopResumed');

/** Orders of the shop have news that are to be told; while they are being told already, it is looked once more. */
export const newsArrivedSignal = defineSignal('newsArrived');
