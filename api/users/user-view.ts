import { z } from 'zod';
import type { UserRecord } from '../../models/users.ts';
import { ROLES } from '../auth/policy.ts';
import { timestampSchema } from '../schemas.ts';

export const userViewSchema = z
  .object({
    username: z.string(),
    displayName: z.string(),
    roles: z.array(z.enum(ROLES)),
    shopIds: z.array(z.string()).optional().meta({ description: 'Absent: all shops' }),
    disabled: z.boolean(),
    source: z.enum(['local', 'oidc']),
    revision: z.number().int(),
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'User' });

export const userView = (user: UserRecord) => ({
  username: user.username,
  displayName: user.displayName,
  roles: user.roles,
  ...(user.shopIds ? { shopIds: user.shopIds } : {}),
  disabled: user.disabled,
  source: user.source,
  revision: user.revision,
  createdAt: user.createdAt.toISOString(),
  updatedAt: user.updatedAt.toISOString(),
});

/** What the audit keeps of a user: never the password, only that it changed. */
export const userFacets = ({ displayName, roles, shopIds, disabled, source }: UserRecord) => ({
  displayName,
  roles,
  shopIds,
  disabled,
  source,
});
