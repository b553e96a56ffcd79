import { randomBytes } from 'node:crypto';
import { userEntity } from '../models/users.ts';
import type { ApiDeps } from './deps.ts';

/**
 * Creates `admin` when there is no user at all. Returns the password only when it was made up here: whoever starts the
 * process prints it, once, and it is kept nowhere.
 */
export async function bootstrapAdmin(
  { users, audit, passwords }: Pick<ApiDeps, 'users' | 'audit' | 'passwords'>,
  givenPassword: string | undefined,
): Promise<string | undefined> {
  if (!(await users.isEmpty())) return undefined;
  const password = givenPassword ?? randomBytes(18).toString('base64url');
  const passwordHash = await passwords.hash(password);
  const isNew = await audit.record(userEntity('admin'), async (session) => {
    // Another process may have been first.
    if (await users.find('admin', session)) return { draft: null, result: false };
    const now = new Date();
    const fields = { username: 'admin', displayName: 'Administrator', passwordHash, roles: ['admin'], shopIds: null };
    await users.insert(
      { ...fields, disabled: false, source: 'local', revision: 1, createdAt: now, updatedAt: now },
      session,
    );
    const actor = { kind: 'system', id: 'bootstrap' } as const;
    return { draft: { at: now, actor, from: {}, action: 'user.created', after: { roles: ['admin'] } }, result: true };
  });
  return isNew && givenPassword === undefined ? password : undefined;
}
