import { AdapterError } from '../../domain/failures.ts';

const MOST_TEXT = 300;

/** For people: the kind and what the platform said. */
export const describeFailure = (error: unknown): string => {
  const { message, name } = error as Error;
  return `${error instanceof AdapterError ? error.kind : name}: ${message}`.slice(0, MOST_TEXT);
};
