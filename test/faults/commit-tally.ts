import { existsSync, readFileSync } from 'node:fs';
import { Claim, type Proof } from './proof.ts';

export const FAULT_WORDS = ['again', 'lost', 'ended', 'overtaken', 'differs'] as const;
export type FaultWord = (typeof FAULT_WORDS)[number];

/** What `faulty-commits.ts` did in the processes that it was loaded into: one line each, the word first. */
export const readCommitTally = (files: readonly string[]): { counts: Record<FaultWord, number>; proof: Proof } => {
  const lines = files
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
  const of = (word: FaultWord) => lines.filter((line) => line.startsWith(`${word} `));
  const claim = new Claim('a step that was run again after it was written answered as it did the first time');
  claim.examined = of('again').length;
  claim.problems.push(...of('differs'));
  const counts = Object.fromEntries(FAULT_WORDS.map((word) => [word, of(word).length])) as Record<FaultWord, number>;
  return { counts, proof: claim };
};
