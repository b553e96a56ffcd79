import type { TimeWindow } from '../../adapters/channels/channel-port.ts';
import { addCounts, NO_COUNTS, type CollectCounts } from '../../domain/collect-counts.ts';
import { windowsOf } from '../../domain/time-windows.ts';
import type { InboxSource } from '../../models/inbox.ts';
import type { OrderCollector } from './order-collector.ts';
import type { ShopSession, ShopSessions } from './shop-sessions.ts';

export interface CollectWindowInput extends TimeWindow {
  shopId: string;
  source: Extract<InboxSource, 'poll' | 'backfill'>;
  backfillId?: string;
}

/** How far an attempt has come; the next one goes on from there. */
export interface WindowProgress {
  doneTo: string;
  counts: CollectCounts;
  /** Length of what is collected in one go. */
  pieceMs: number;
  /** The attempt that has last done a piece; 0 when none was done. */
  doneBy: number;
}

export interface WindowAttempt {
  /** From 1. */
  attempt: number;
  known: WindowProgress | undefined;
  report: (progress: WindowProgress) => void;
  signal: AbortSignal;
}

export const collectWindow = async (
  { sessions, collector }: { sessions: ShopSessions; collector: OrderCollector },
  input: CollectWindowInput,
  { attempt, known, report, signal }: WindowAttempt,
): Promise<CollectCounts> => {
  const pieceMs = pieceMsOf(input, attempt, known);
  let progress = { doneTo: input.from, counts: NO_COUNTS, doneBy: 0, ...known, pieceMs };
  for (const piece of windowsOf({ from: progress.doneTo, to: input.to }, pieceMs)) {
    const { counts } = progress;
    const found = await sessions.run(input.shopId, 'collect', (session) =>
      collectPiece({ session, collector, input, piece, signal, beat: () => report(progress) }),
    );
    progress = { doneTo: piece.to, counts: addCounts(counts, found), pieceMs, doneBy: attempt };
    report(progress);
  }
  return progress.counts;
};

const SECOND_MS = 1000;
const MOST_HALVINGS = 6;

/**
 * The whole window at first; half as much whenever an attempt has not done a single piece, so that a platform that stops us
 * in the middle of a long one is done with nevertheless. Whole seconds, which is how platforms count.
 */
const pieceMsOf = ({ from, to }: TimeWindow, attempt: number, known: WindowProgress | undefined): number => {
  const wholeMs = Date.parse(to) - Date.parse(from);
  const failures = attempt - 1;
  const lastMs = known?.pieceMs ?? wholeMs / 2 ** Math.max(0, failures - 1);
  const hasHelped = failures === 0 || known?.doneBy === failures;
  const pieceMs = Math.max(hasHelped ? lastMs : lastMs / 2, wholeMs / 2 ** MOST_HALVINGS, SECOND_MS);
  return Math.ceil(pieceMs / SECOND_MS) * SECOND_MS;
};

interface Piece {
  session: ShopSession;
  collector: OrderCollector;
  input: CollectWindowInput;
  piece: TimeWindow;
  signal: AbortSignal;
  beat: () => void;
}

/** While a page is written, the next one is under way. */
const collectPiece = async ({ session, collector, input, piece, signal, beat }: Piece): Promise<CollectCounts> => {
  const { shop, client } = session;
  const context = { shop, source: input.source, backfillId: input.backfillId ?? null };
  const pages = client.changedOrders(piece, signal)[Symbol.asyncIterator]();
  let counts = NO_COUNTS;
  let coming = pages.next();
  for (;;) {
    const { done, value } = await coming;
    if (done) return counts;
    signal.throwIfAborted();
    beat();
    coming = pages.next();
    // Looked at when its turn comes; if the page before fails, nobody looks.
    coming.catch(() => undefined);
    counts = addCounts(counts, await collector.add(value.orders, context));
  }
};
