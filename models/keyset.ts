import type { mongo } from 'mongoose';

type Filter = Record<string, unknown>;

/** Where a page begins: behind the record with this sort value and id. */
export interface PageStart {
  value: unknown;
  id: string;
}

export interface KeysetPage {
  /** `_id` breaks ties, in the same direction. */
  sort: { field: string; direction: 1 | -1 };
  after?: PageStart | undefined;
  limit: number;
  projection?: Record<string, 0 | 1>;
}

/**
 * One page by key: the rest of the last value, then what lies beyond it. Two reads in place of an `$or`, because each
 * of them stays within its part of the index on every server.
 */
export async function readPage<T extends mongo.Document>(
  collection: mongo.Collection<T>,
  filter: Filter,
  { sort: { field, direction }, after, limit, projection = {} }: KeysetPage,
): Promise<mongo.WithId<T>[]> {
  const beyond = direction === 1 ? '$gt' : '$lt';
  const read = (more: Filter, count: number) =>
    collection
      .find(bothOf(filter, more) as mongo.Filter<T>, { projection })
      .sort({ [field]: direction, _id: direction })
      .limit(count)
      .toArray();
  if (!after) return read({}, limit);
  const ties = await read({ [field]: after.value, _id: { [beyond]: after.id } }, limit);
  if (ties.length >= limit) return ties;
  return [...ties, ...(await read({ [field]: { [beyond]: after.value } }, limit - ties.length))];
}

/** Conditions on one field are joined within it, so that the index sees one range; what cannot be joined is an `$and`. */
export const bothOf = (a: Filter, b: Filter): Filter => {
  const joined: Filter = { ...a };
  for (const [field, condition] of Object.entries(b)) {
    const known = joined[field];
    if (known === undefined) joined[field] = condition;
    else if (isRange(known) && isRange(condition)) joined[field] = narrower(known, condition);
    else return { $and: [a, b] };
  }
  return joined;
};

const RANGE = new Set(['$gt', '$gte', '$lt', '$lte']);

const isRange = (condition: unknown): condition is Filter =>
  typeof condition === 'object' && condition !== null && Object.keys(condition).every((operator) => RANGE.has(operator));

/** Of two bounds on one side, the tighter. */
const narrower = (range: Filter, bound: Filter): Filter => {
  const isUpper = '$lt' in bound || '$lte' in bound;
  const [known] = Object.entries(range).filter(([operator]) => operator.startsWith('$lt') === isUpper);
  const [given] = Object.values(bound) as [string | number | Date];
  const isTighter = !known || (isUpper ? given <= (known[1] as typeof given) : given >= (known[1] as typeof given));
  if (!isTighter) return range;
  const others = Object.entries(range).filter(([operator]) => operator.startsWith('$lt') !== isUpper);
  return { ...Object.fromEntries(others), ...bound };
};
