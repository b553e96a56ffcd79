import type { Writable } from 'node:stream';
import winston from 'winston';
import { LOG_LEVELS } from './config.ts';
import type { LogLevel } from './config.ts';
import { redact, redactText } from './redaction.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** `fields` may be an Error. Nothing is ever written without redaction. */
export interface Logger {
  error(message: string, fields?: LogFields | Error): void;
  warn(message: string, fields?: LogFields | Error): void;
  info(message: string, fields?: LogFields | Error): void;
  /** Requests of callers, one by one: below `info`, which is for what happens to orders. */
  http(message: string, fields?: LogFields | Error): void;
  debug(message: string, fields?: LogFields | Error): void;
  /** Adds fields to each line, such as requestId or orderId. Follows the level of its parent. */
  child(fields: LogFields): Logger;
  isEnabled(level: LogLevel): boolean;
  /** Of this logger and all its relatives, from now on. */
  setLevel(level: LogLevel): void;
  readonly level: LogLevel;
}

export interface LoggerOptions {
  level?: LogLevel;
  /** auto: readable in a terminal, JSON elsewhere. */
  format?: 'auto' | 'json' | 'text';
  /** Default stderr: stdout is for what a command has to say. */
  stream?: Writable;
}

const LEVELS = Object.fromEntries(LOG_LEVELS.map((level, i) => [level, i])) as Record<LogLevel, number>;

export function createLogger({
  level = 'error',
  format = 'auto',
  stream = process.stderr,
}: LoggerOptions = {}): Logger {
  const readable =
    format === 'text' || (format === 'auto' && Boolean((stream as Partial<typeof process.stderr>).isTTY));
  const sink = winston.createLogger({
    level,
    levels: LEVELS,
    format: winston.format.combine(winston.format.timestamp(), winston.format.printf(readable ? toText : toJson)),
    transports: [new winston.transports.Stream({ stream })],
    exitOnError: false,
  });
  return new WinstonLogger(sink, {});
}

class WinstonLogger implements Logger {
  readonly #sink: winston.Logger;
  readonly #bound: LogFields;

  constructor(sink: winston.Logger, bound: LogFields) {
    this.#sink = sink;
    this.#bound = bound;
  }

  get level(): LogLevel {
    return this.#sink.level as LogLevel;
  }

  error(message: string, fields?: LogFields | Error): void {
    this.#log('error', message, fields);
  }

  warn(message: string, fields?: LogFields | Error): void {
    this.#log('warn', message, fields);
  }

  info(message: string, fields?: LogFields | Error): void {
    this.#log('info', message, fields);
  }

  http(message: string, fields?: LogFields | Error): void {
    this.#log('http', message, fields);
  }

  debug(message: string, fields?: LogFields | Error): void {
    this.#log('debug', message, fields);
  }

  child(fields: LogFields): Logger {
    return new WinstonLogger(this.#sink, { ...this.#bound, ...fields });
  }

  isEnabled(level: LogLevel): boolean {
    return LEVELS[level] <= LEVELS[this.level];
  }

  setLevel(level: LogLevel): void {
    this.#sink.level = level;
  }

  #log(level: LogLevel, message: string, fields: LogFields | Error = {}): void {
    if (!this.isEnabled(level)) return;
    const own = fields instanceof Error ? { error: fields } : fields;
    // Under one key: winston merges metadata into the line and appends an error's message unredacted.
    this.#sink.log({ level, message: redactText(message), fields: safely(this.#bound, own) });
  }
}

/** A field whose getter throws must not fail the business that logs it. */
function safely(bound: LogFields, own: LogFields): Record<string, unknown> {
  try {
    return redact({ ...bound, ...own });
  } catch {
    return { fields: '[cannot be logged]' };
  }
}

interface Line extends winston.Logform.TransformableInfo {
  fields?: Record<string, unknown>;
}

const toJson = ({ timestamp, level, message, fields }: Line): string =>
  JSON.stringify({ time: timestamp, level, message, ...fields });

function toText({ timestamp, level, message, fields = {} }: Line): string {
  const { error, ...rest } = fields as { error?: { stack?: unknown } };
  const words = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const line = [String(timestamp), level.toUpperCase().padEnd(5), message, ...words].join(' ');
  // One line per entry, whatever a caller sent; only a stack goes on below, indented.
  const flat = line.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ');
  const below =
    error === undefined ? '' : `\n${JSON.stringify(error, null, 2).replaceAll('\\n', '\n')}`.replaceAll('\n', '\n    ');
  return flat + below;
}
