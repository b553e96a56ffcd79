import { appendFileSync } from 'node:fs';
import { ForeignRun, StepCommitter, type CommitAnswer } from '../../models/step-committer.ts';
import type { FaultWord } from './commit-tally.ts';

/**
 * Loaded before the application by `faulty-main.ts`: every step is carried out again after it was written, and some
 * answers are lost on the way, by an error or by the end of the process. Nothing in the application knows of it.
 */
export interface FaultyCommits {
  /** Share of written steps whose answer is lost by an error. */
  lost: number;
  /** Share of written steps after which the process ends at once. */
  ended: number;
  /** One line for each thing that was done. */
  tally: string;
}

const faults = JSON.parse(process.env['FAULTY_COMMITS'] ?? '{}') as FaultyCommits;
const note = (word: FaultWord, about = '') => appendFileSync(faults.tally, `${word} ${about}\n`);

const sameAnswer = (first: CommitAnswer, second: CommitAnswer): boolean =>
  second.isRepeat &&
  first.auditHash === second.auditHash &&
  JSON.stringify(first.outcome) === JSON.stringify(second.outcome);

// Called below with the committer that it belongs to.
// oxlint-disable-next-line typescript/unbound-method
const { commit } = StepCommitter.prototype;

StepCommitter.prototype.commit = async function (request) {
  const answer = await commit.call(this, request);
  // Nothing was written: the request may be made again and be granted.
  if (answer.outcome?.state === 'short' || request.kind === 'serveQueue') return answer;
  const name = request.kind === 'orderStep' ? `${request.orderId} ${request.revision}` : request.id;
  if (Math.random() < faults.ended) {
    note('ended', name);
    process.kill(process.pid, 'SIGKILL');
  }
  try {
    const second = await commit.call(this, request);
    note('again', name);
    if (!sameAnswer(answer, second)) note('differs', `${name}: ${JSON.stringify({ answer, second })}`);
  } catch (error) {
    // The workflow was told by an earlier try and has gone on meanwhile.
    if (!(error instanceof ForeignRun)) throw error;
    note('overtaken', name);
  }
  if (Math.random() < faults.lost) {
    note('lost', name);
    throw new Error('the answer was lost after the step was written');
  }
  return answer;
};
