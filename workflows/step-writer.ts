import { condition, isCancellation, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { exhaustedCaseId } from '../domain/ids.ts';
import type { CommitStepAnswer, CommitStepInput } from '../activities/order-activities.ts';
import { commitStep, commitStepDurably, reportExhausted } from './activity-proxies.ts';
import { searchAttributes } from './contract.ts';

const FIRST_PAUSE_MS = 15 * 60_000;
/** A step that nobody can help must not fill the history with its tries. */
const LONGEST_PAUSE_MS = 86_400_000;

export interface Recovery {
  /** To be closed: the step was written after all without anybody having dealt with it. */
  caseId: string | null;
}

/** Writes an order's steps, for as long as it takes. */
export class StepWriter {
  /**
   * Whether the history may still lack the step written last. Until it has that step, the next one is written by an
   * ordinary activity, because that is only scheduled together with what was before: should the worker die, the run
   * that follows then meets at most one step that it does not know.
   */
  private isUnrecorded = false;
  private isHelpOffered = false;
  private recovery: Recovery | null = null;

  /** The workflow waited for something outside, so that everything before is in the history. */
  noteRecorded(): void {
    this.isUnrecorded = false;
  }

  /** A person has dealt with a case of the order: what could not be written is tried again at once. */
  offerHelp(): void {
    this.isHelpOffered = true;
  }

  /** Given once, when the last step had been put before a person; the search attributes then show that no more. */
  takeRecovery(): Recovery | null {
    const { recovery } = this;
    this.recovery = null;
    return recovery;
  }

  async write(request: CommitStepInput): Promise<CommitStepAnswer> {
    if (this.isUnrecorded) return this.insist(request);
    try {
      const answer = await commitStep(request);
      this.isUnrecorded = true;
      return answer;
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
    return this.insist(request);
  }

  private async insist(request: CommitStepInput): Promise<CommitStepAnswer> {
    this.isHelpOffered = false;
    let caseId: string | null = null;
    for (let tries = 0, occurrence = 1; ; tries += 1) {
      try {
        const answer = await commitStepDurably(request);
        this.noteRecorded();
        if (tries > 0) this.recovery = { caseId: this.isHelpOffered ? null : caseId };
        return answer;
      } catch (error) {
        if (isCancellation(error)) throw error;
      }
      if (this.isHelpOffered) occurrence += 1;
      this.isHelpOffered = false;
      caseId = await this.report(request, occurrence);
      await condition(() => this.isHelpOffered, Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS));
    }
  }

  /** The step could not be written for its whole time: a person is told. Null when not even that could be written. */
  private async report({ step, action, before }: CommitStepInput, occurrence: number): Promise<string | null> {
    const { snapshot, revision, cases } = step.next;
    const { orderId, shopId } = snapshot;
    const detail = `step ${revision} (${action}) could not be written`;
    setCurrentDetails(
      `${String(before['status'])}: ${detail}; tried again from time to time, and when its case is resolved`,
    );
    upsertSearchAttributes([
      { key: searchAttributes.caseCode, value: [...cases.map(({ code }) => code), 'activity_exhausted'] },
    ]);
    try {
      await reportExhausted({ orderId, shopId, revision, occurrence, detail });
      return exhaustedCaseId(orderId, revision, occurrence);
    } catch (error) {
      if (isCancellation(error)) throw error;
      return null;
    }
  }
}
