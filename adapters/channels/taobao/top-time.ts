/** TOP gives and takes all times in China's, which has no summer time. */
const OFFSET_MS = 8 * 3_600_000;
const FORM = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/;

/** `yyyy-MM-dd HH:mm:ss`, GMT+8; parts of a second are cut off. */
export const toTopTime = (epochMs: number): string =>
  new Date(epochMs + OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

/** RFC 3339, UTC; null for what is no such time. */
export const fromTopTime = (text: string): string | null => {
  if (!FORM.test(text)) return null;
  const epochMs = Date.parse(`${text.replace(' ', 'T')}+08:00`);
  // The parser takes the 30th of February for the 2nd of March.
  return Number.isNaN(epochMs) || toTopTime(epochMs) !== text ? null : new Date(epochMs).toISOString();
};
