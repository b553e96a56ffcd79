import type { AmountMinor } from '../../../domain/money.ts';

const YUAN = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/;

/** Fen of an amount in yuan, as TOP writes it; null for anything that is not exactly one. */
export const fenOf = (yuan: string): AmountMinor | null => {
  const [, minus, whole, part = ''] = YUAN.exec(yuan) ?? [];
  if (whole === undefined) return null;
  const fen = Number(whole + part.padEnd(2, '0'));
  return minus && fen !== 0 ? -fen : fen;
};
