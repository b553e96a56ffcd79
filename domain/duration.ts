const ISO_DURATION = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;
const UNITS_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000];

/** Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds; years and months have no length. */
export const durationMs = (text: string): number => {
  const match = ISO_DURATION.exec(text);
  if (!match) throw new RangeError(`not an ISO 8601 duration: ${text}`);
  return UNITS_MS.reduce((sum, unit, index) => sum + unit * Number(match[index + 1] ?? 0), 0);
};

export const isDuration = (text: string): boolean => ISO_DURATION.test(text);
