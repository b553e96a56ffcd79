import type { WmsWord } from '../../adapters/wms/qimen/push-parsing.ts';
import type { Origin } from '../../domain/order-messages.ts';
import { toProblem } from '../to-problem.ts';
import type { WmsDesk } from './wms-desk.ts';

export interface RefusedReport {
  deliveryOrderCode: string;
  code: string;
  message: string;
}

/** A batch is many orders; more at once would only wait for each other. */
const AT_ONCE = 10;

/**
 * Passes on what a warehouse's system has said; answers with what was refused of it. Throws when something could not be
 * settled now: then all of it is to be sent again, which changes nothing where it was taken.
 */
export const hearWord = async (
  desk: WmsDesk,
  warehouseId: string,
  word: WmsWord,
  origin: Origin,
): Promise<RefusedReport[]> => {
  if (word.kind === 'progress') {
    const { progress } = word;
    return orRefused(progress.deliveryOrderCode, () => desk.note(warehouseId, progress));
  }
  const refused: RefusedReport[] = [];
  for (let first = 0; first < word.reports.length; first += AT_ONCE) {
    const settled = word.reports
      .slice(first, first + AT_ONCE)
      .map((report) => orRefused(report.deliveryOrderCode, () => desk.book(warehouseId, report, origin)));
    refused.push(...(await Promise.all(settled)).flat());
  }
  return refused;
};

const orRefused = async (deliveryOrderCode: string, tell: () => Promise<void>): Promise<RefusedReport[]> => {
  try {
    await tell();
    return [];
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status >= 500) throw error;
    return [{ deliveryOrderCode, code: problem.code, message: problem.message }];
  }
};
