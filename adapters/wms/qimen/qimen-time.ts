const CHINA_OFFSET_MS = 8 * 3_600_000;
const FORM = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/;

/** `2026-11-22 10:00:00`, the clock of China, whatever zone the process has. */
export const qimenTime = (at: Date): string =>
  new Date(at.getTime() + CHINA_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

/** Milliseconds since the epoch; undefined for what is no such time. */
export const parseQimenTime = (text: string): number | undefined => {
  const [, ...parts] = FORM.exec(text) ?? [];
  if (parts.length === 0) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const at = Date.UTC(year, month - 1, day, hour, minute, second) - CHINA_OFFSET_MS;
  // 31 February and the like come out as another day.
  return qimenTime(new Date(at)) === text ? at : undefined;
};
