import type { mongo } from 'mongoose';
import { bothOf, type Filter } from './filters.ts';

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
  /** Name of the index to use, where a planner may choose a worse one. */
  hint?: string | undefined;
}

/**
 * One page by key: the rest of the last value, then what lies beyond it. Two reads in place of an `$or`, because each
 * of them stays within its part of the index on every server.
 */
export async function readPage<T extends mongo.Document>(
  collection: mongo.Collection<T>,
  filter: Filter,
  { sort: { field, direction }, after, limit, projection = {}, hint }: KeysetPage,
): Promise<mongo.WithId<T>[]> {
  const read = (part: Filter, count: number) =>
    collection
      .find(part as mongo.Filter<T>, { projection, ...(hint === undefined ? {} : { hint }) })
      .sort({ [field]: direction, _id: direction })
      .limit(count)
      .toArray();
  const found: mongo.WithId<T>[] = [];
  for (const part of partsOf(filter, { sort: { field, direction }, after })) {
    found.push(...(await read(part, limit - found.length)));
    if (found.length >= limit) break;
  }
  return found;
}

/** What a page is read by, one after the other until it is full. */
export const partsOf = (filter: Filter, { sort, after }: Pick<KeysetPage, 'sort' | 'after'>): Filter[] => {
  if (!after) return [filter];
  const beyond = sort.direction === 1 ? '$gt' : '$lt';
  return [
    bothOf(filter, { [sort.field]: after.value, _id: { [beyond]: after.id } }),
    bothOf(filter, { [sort.field]: { [beyond]: after.value } }),
  ];
};
