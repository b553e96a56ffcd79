import type { Say } from './say.ts';

/** One place where a tool may come from. */
export interface ToolSource {
  /** How the person is told of it: `temporal on PATH`, `official download of …`. */
  label: string;
  /** Decides which flags and data folder fit; several sources may offer the same kind. */
  kind: string;
  find: () => string | undefined;
  install?: () => Promise<string>;
}

export interface Offer {
  kind: string;
  label: string;
  program: string;
}

/**
 * Tries the sources, first everything that is there already, then everything that can be installed, until `use`
 * succeeds with one. What failed is said and the next one is tried.
 */
export const useFirst = async <T>(
  tool: string,
  sources: readonly ToolSource[],
  say: Say,
  remedy: string,
  use: (offer: Offer) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> => {
  const tried: string[] = [];
  const attempt = async (source: ToolSource, getProgram: () => Promise<string>): Promise<{ value: T } | undefined> => {
    signal?.throwIfAborted();
    try {
      return { value: await use({ kind: source.kind, label: source.label, program: await getProgram() }) };
    } catch (error) {
      signal?.throwIfAborted();
      tried.push(`${source.label}: ${(error as Error).message}`);
      say(`${tool}: ${source.label} does not work: ${(error as Error).message}`);
      return undefined;
    }
  };
  const missing: ToolSource[] = [];
  for (const source of sources) {
    const program = source.find();
    if (program === undefined) missing.push(source);
    const outcome = program === undefined ? undefined : await attempt(source, async () => program);
    if (outcome) return outcome.value;
  }
  for (const { install, ...source } of missing) {
    if (!install) {
      tried.push(`${source.label}: not found`);
      continue;
    }
    say(`${tool}: trying the ${source.label}`);
    const outcome = await attempt(source, install);
    if (outcome) return outcome.value;
  }
  throw new Error(`${tool}: no way to get it worked.\n${tried.map((line) => `  - ${line}`).join('\n')}\n${remedy}`);
};
