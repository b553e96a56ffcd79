import { z } from 'zod';
import { AdapterError, type AdapterFailureKind } from '../../../domain/failures.ts';
import type { CollectedOrder } from '../../../domain/platform-order.ts';
import type { ParcelNotice, TellAnswer } from '../channel-port.ts';
import type { TopCall } from './top-client.ts';
import { TAOBAO, TopRefusal } from './top-error.ts';

const METHOD = 'taobao.logistics.offline.send';
const MOST_DETAIL = 200;

/** Kinds of a refusal that are about this parcel, and not about the call, the session or the moment. */
const ABOUT_THE_PARCEL: readonly AdapterFailureKind[] = ['declined', 'notFound'];

const answerSchema = z.object({ shipping: z.object({ is_success: z.boolean() }) });

export type ReadTrade = (tid: string, signal?: AbortSignal) => Promise<CollectedOrder | null>;

/**
 * Tells the platform of one parcel. A refusal says «shipped before, or closed» and a lost answer says nothing; in both
 * cases the trade itself shows whether the parcel is known.
 */
export const tellParcel = async (
  call: TopCall,
  readTrade: ReadTrade,
  notice: ParcelNotice,
  signal?: AbortSignal,
): Promise<TellAnswer> => {
  try {
    const { shipping } = await call(
      {
        method: METHOD,
        params: {
          tid: notice.platformOrderId,
          company_code: notice.courier,
          out_sid: notice.trackingNo,
          ...(notice.isPartial ? { is_split: '1', sub_tid: notice.lineIds.join(',') } : {}),
        },
        answer: answerSchema,
        effect: 'changes',
      },
      signal,
    );
    if (shipping.is_success) return { state: 'told' };
    throw new AdapterError(TAOBAO, 'unknownOutcome', `${METHOD}: answered without success and without a reason`);
  } catch (error) {
    const detail = refusalDetail(error);
    const isUnknown = error instanceof AdapterError && error.kind === 'unknownOutcome';
    if (detail === null && !isUnknown) throw error;
    const known = await lookUp(readTrade, notice, signal, detail === null ? error : undefined);
    if (known) return { state: 'told' };
    if (detail === null) throw error;
    return { state: 'refused', detail };
  }
};

/** When looking fails after an unknown outcome, the outcome is what stays unknown. */
const lookUp = async (
  readTrade: ReadTrade,
  notice: ParcelNotice,
  signal: AbortSignal | undefined,
  unknown: unknown,
): Promise<boolean> => {
  try {
    return isTold(await readTrade(notice.platformOrderId, signal), notice);
  } catch (error) {
    throw unknown ?? error;
  }
};

const isTold = (order: CollectedOrder | null, { trackingNo, lineIds }: ParcelNotice): boolean => {
  const wanted = trackingNo.trim().toUpperCase();
  const told = new Set(
    (order?.content?.platform.parcels ?? [])
      .filter((parcel) => parcel.trackingNo.toUpperCase() === wanted)
      .flatMap((parcel) => parcel.lineIds),
  );
  return lineIds.length > 0 && lineIds.every((lineId) => told.has(lineId));
};

/** For people; long numbers in the platform's words could be somebody's. Null when it is no refusal of the parcel. */
const refusalDetail = (error: unknown): string | null => {
  if (!(error instanceof TopRefusal)) return null;
  const isInvalidParcel = error.kind === 'invalid' && error.subCode.startsWith('isv.invalid-parameter');
  if (!ABOUT_THE_PARCEL.includes(error.kind) && !isInvalidParcel) return null;
  const words = error.subMsg.replaceAll(/\d{5,}/g, '…').trim();
  return [error.subCode, words].filter(Boolean).join(': ').slice(0, MOST_DETAIL);
};
