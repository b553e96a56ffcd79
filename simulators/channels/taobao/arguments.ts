import { fromGmt8 } from './gmt8.ts';
import { invalidArgument, missingArgument } from './top-error.ts';

/** Arguments of one call, as the platform reads them: text that is required, absent, or of a certain form. */
export class Arguments {
  readonly #params: ReadonlyMap<string, string>;

  constructor(params: ReadonlyMap<string, string>) {
    this.#params = params;
  }

  optional(name: string): string | undefined {
    return this.#params.get(name) || undefined;
  }

  required(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw missingArgument(name);
    return value;
  }

  /** A number of the platform's, exact: it stays text. */
  id(name: string): string {
    const value = this.required(name);
    if (!/^[1-9]\d{0,19}$/.test(value)) throw invalidArgument(name, 'must be a number');
    return value;
  }

  ids(name: string, most: number): string[] {
    const values = this.list(name) ?? [];
    if (values.length > most) throw invalidArgument(name, `at most ${most}`);
    for (const value of values) if (!/^\d{1,20}$/.test(value)) throw invalidArgument(name, 'must be numbers');
    return values;
  }

  list(name: string): string[] | undefined {
    return this.optional(name)
      ?.split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  integer(name: string, { least, most, otherwise }: { least: number; most: number; otherwise: number }): number {
    const value = this.optional(name);
    if (value === undefined) return otherwise;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) throw invalidArgument(name, `must be from ${least} to ${most}`);
    return number;
  }

  boolean(name: string): boolean {
    const value = this.optional(name);
    if (value === undefined || value === 'false') return false;
    if (value === 'true') return true;
    throw invalidArgument(name, 'must be true or false');
  }

  time(name: string): number | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const at = fromGmt8(value);
    if (at === undefined) throw invalidArgument(name, 'must be yyyy-MM-dd HH:mm:ss');
    return at;
  }
}
