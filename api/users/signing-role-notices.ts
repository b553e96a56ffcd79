import type { ClientSession } from 'mongoose';
import type { Notice } from '../../models/notices.ts';
import type { UserRecord, UserStore } from '../../models/users.ts';
import { SIGNING_ROLES } from '../auth/policy.ts';

/** A grant of a signing role is told to everybody who holds that role, so that a quiet second signature is noticed. */
export async function signingRoleNotices(
  users: UserStore,
  before: readonly string[],
  user: UserRecord,
  grantedBy: string,
  at: Date,
  session: ClientSession,
): Promise<Notice[]> {
  const granted = SIGNING_ROLES.filter((role) => user.roles.includes(role) && !before.includes(role));
  const notices: Notice[] = [];
  for (const role of granted) {
    const holders = await users.holdersOf(role, session);
    const told = new Set([...holders.map(({ _id }) => _id), user._id]);
    for (const to of told)
      notices.push({ to, at, code: 'signing_role_granted', detail: { role, username: user.username, grantedBy } });
  }
  return notices;
}
