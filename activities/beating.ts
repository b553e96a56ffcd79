import { asyncLocalStorage } from '@temporalio/activity';

const EVERY_MS = 5000;

/**
 * Runs long work and says every few seconds that it is alive, with what it has last told of its progress, so that a worker
 * that died is noticed soon and one that waits for a slow platform is not taken for dead.
 */
export const beating = async <P, T>(work: (beat: (progress: P) => void) => Promise<T>): Promise<T> => {
  // Outside of the engine, as in a test, there is nobody to tell.
  const context = asyncLocalStorage.getStore();
  let progress: P | undefined = context?.info.heartbeatDetails as P | undefined;
  const beat = (now: P): void => {
    progress = now;
    context?.heartbeat(now);
  };
  const timer = setInterval(() => context?.heartbeat(progress), EVERY_MS);
  try {
    return await work(beat);
  } finally {
    clearInterval(timer);
  }
};
