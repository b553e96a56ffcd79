import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** What a simulator remembers beyond its process: one JSON record a line, never changed once written. */
export interface Journal<R> {
  /** Is with the operating system when it returns, so that killing the process loses nothing that was answered. */
  append(records: readonly R[]): void;
  close(): void;
}

const NEWLINE = 0x0a;
const RECORDS_A_WRITE = 500;

/**
 * Opens the file and calls `load` with every record that it holds, in order. A last line that was cut short by a kill
 * was never acknowledged and is dropped. Without a file nothing is kept.
 */
export const openJournal = <R>(file: string | undefined, load: (record: R) => void): Journal<R> => {
  if (file === undefined) return { append() {}, close() {} };
  mkdirSync(dirname(file), { recursive: true });
  const whole = existsSync(file) ? readRecords(file, load) : 0;
  const handle = openSync(file, 'a');
  ftruncateSync(handle, whole);
  return {
    append(records) {
      for (let first = 0; first < records.length; first += RECORDS_A_WRITE)
        writeAll(handle, toLines(records.slice(first, first + RECORDS_A_WRITE)));
    },
    close: () => closeSync(handle),
  };
};

/** Puts fewer records in the place of those that led to the same books; a kill half-way leaves the old file. */
export const rewriteJournal = <R>(file: string, records: Iterable<R>): void => {
  const fresh = `${file}.new`;
  writeFileSync(fresh, '');
  const handle = openSync(fresh, 'a');
  let batch: R[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length < RECORDS_A_WRITE) continue;
    writeAll(handle, toLines(batch));
    batch = [];
  }
  writeAll(handle, toLines(batch));
  closeSync(handle);
  renameSync(fresh, file);
};

const toLines = (records: readonly unknown[]): Buffer =>
  Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));

const writeAll = (handle: number, bytes: Buffer): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
};

/** Returns how many bytes are whole lines. */
const readRecords = <R>(file: string, load: (record: R) => void): number => {
  const bytes = readFileSync(file);
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    if (end > start) load(JSON.parse(bytes.toString('utf8', start, end)) as R);
    start = end + 1;
  }
  return start;
};
