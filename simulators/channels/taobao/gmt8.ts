const GMT8_MS = 8 * 3_600_000;
const FORMAT = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/;

/** `yyyy-MM-dd HH:mm:ss`, always in GMT+8, whole seconds. */
export const toGmt8 = (at: number): string => new Date(at + GMT8_MS).toISOString().slice(0, 19).replace('T', ' ');

/** Undefined for anything but an existing time in the platform's own format. */
export const fromGmt8 = (text: string): number | undefined => {
  if (!FORMAT.test(text)) return undefined;
  const at = Date.parse(`${text.replace(' ', 'T')}Z`) - GMT8_MS;
  return Number.isNaN(at) || toGmt8(at) !== text ? undefined : at;
};

export const wholeSecond = (at: number): number => Math.floor(at / 1000) * 1000;
