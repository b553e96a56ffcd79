export type Filter = Record<string, unknown>;

/** Matches nothing, and every server sees at once that it does. */
const NOTHING = { $in: [] };

/**
 * Both filters at once, flat where that is possible, because a flat filter is what indexes are chosen by. Conditions on
 * one field are joined into one; the fields hold one value each, never a list.
 */
export const bothOf = (a: Filter, b: Filter): Filter => {
  const joined: Filter = { ...a };
  for (const [field, condition] of Object.entries(b)) {
    const both = field in joined ? join(joined[field], condition) : condition;
    if (both === undefined || (field.startsWith('$') && field in a)) return { $and: [a, b] };
    joined[field] = both;
  }
  return joined;
};

/** Undefined when they cannot be said as one. */
const join = (a: unknown, b: unknown): unknown => {
  if (isPlain(a)) return accepts(b, a);
  if (isPlain(b)) return accepts(a, b);
  return isRange(a) && isRange(b) ? Object.entries(b).reduce(narrowed, a) : undefined;
};

type Plain = string | number | boolean | Date | null;
type Bounded = string | number | Date;

const isPlain = (condition: unknown): condition is Plain =>
  condition === null || typeof condition !== 'object' || condition instanceof Date;

const CHECKS: Record<string, (value: Bounded, bound: Bounded) => boolean> = {
  $gt: (value, bound) => value > bound,
  $gte: (value, bound) => value >= bound,
  $lt: (value, bound) => value < bound,
  $lte: (value, bound) => value <= bound,
};

const isRange = (condition: unknown): condition is Record<string, Bounded> =>
  typeof condition === 'object' && condition !== null && Object.keys(condition).every((operator) => operator in CHECKS);

/** The value, if the condition lets it through. */
const accepts = (condition: unknown, value: Plain): unknown => {
  if (isPlain(condition)) return isSame(condition, value) ? value : NOTHING;
  if (isRange(condition) && value !== null && typeof value !== 'boolean')
    return Object.entries(condition).every(([operator, bound]) => CHECKS[operator]?.(value, bound)) ? value : NOTHING;
  const { $in, ...others } = condition as { $in?: unknown };
  if (!Array.isArray($in) || Object.keys(others).length > 0) return undefined;
  return $in.some((one) => isPlain(one) && isSame(one, value)) ? value : NOTHING;
};

const isSame = (a: Plain, b: Plain): boolean =>
  a instanceof Date && b instanceof Date ? a.getTime() === b.getTime() : a === b;

/** Of two bounds on one side, the tighter. */
const narrowed = (range: Record<string, Bounded>, [operator, bound]: [string, Bounded]): Record<string, Bounded> => {
  const isUpper = operator.startsWith('$lt');
  const known = Object.keys(range).find((one) => one.startsWith('$lt') === isUpper);
  if (known === undefined) return { ...range, [operator]: bound };
  const limit = range[known] as Bounded;
  const isTighter = isUpper ? bound < limit : bound > limit;
  const excludes = bound === limit && !operator.endsWith('e');
  if (!isTighter && !excludes) return range;
  const { [known]: _looser, ...others } = range;
  return { ...others, [operator]: bound };
};
