import { subject as tagged } from '@casl/ability';
import { accessibleBy } from '@casl/mongoose';
import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../errors.ts';
import type { Action, AppAbility, SubjectName } from './policy.ts';

type Filter = Record<string, unknown>;

/**
 * The MongoDB filter of what the caller may `action`; goes into every query of that subject. Reduced to its simplest
 * form, because an `$or` around one condition keeps a query from its index.
 */
export function scopeFilter(ability: AppAbility, action: Action, subject: SubjectName): Filter {
  const filter: Filter = accessibleBy(ability, action).ofType(subject);
  const branches = filter['$or'];
  if (!Array.isArray(branches) || Object.keys(filter).length !== 1) return filter;
  const kept = (branches as Filter[]).filter(
    (branch, i, all) =>
      !all.some((other, j) => j !== i && isWider(other, branch) && (!isWider(branch, other) || j < i)),
  );
  return kept.length === 1 && kept[0] ? kept[0] : { $or: kept };
}

/** Every condition of `wide` is also one of `narrow`. */
const isWider = (wide: Filter, narrow: Filter): boolean =>
  Object.entries(wide).every(([key, value]) => isDeepStrictEqual(value, narrow[key]));

export const isAllowed = (ability: AppAbility, action: Action, subject: SubjectName, record: Filter): boolean =>
  ability.can(action, tagged(subject, { ...record }));

/** What lies outside the caller's scope does not exist for them: 404. Role was checked before, by the route. */
export function assertInScope(ability: AppAbility, action: Action, subject: SubjectName, record: Filter): void {
  if (!isAllowed(ability, action, subject, record)) throw new Problem('not_found');
}
