import type { AssignCommand } from '../../domain/order-messages.ts';
import type { CommandTarget } from './order-commands.ts';
import type { UserStore } from '../../models/users.ts';
import type { Principal, Role } from '../auth/policy.ts';
import { principalOf } from '../auth/user-directory.ts';
import { abilityOf } from '../auth/policy.ts';
import { Problem } from '../errors.ts';
import { ruleViolation } from './order-prices.ts';

const MAY_GIVE: readonly Role[] = ['admin', 'cs_supervisor', 'operations'];

/** Throws 403 when an agent gives an order to somebody else, 422 when that person could not work on it. */
export const assignCommand = async (
  username: string,
  head: CommandTarget,
  principal: Principal,
  users: Pick<UserStore, 'find'>,
): Promise<AssignCommand> => {
  const isOwn = principal.kind === 'user' && principal.id.toLowerCase() === username.toLowerCase();
  if (!isOwn && !principal.roles.some((role) => MAY_GIVE.includes(role)))
    throw new Problem('forbidden', { detail: 'An agent takes orders for themselves only' });
  const user = await users.find(username);
  if (!user || user.disabled) throw ruleViolation({ path: 'username', message: 'is nobody who can sign in' });
  const assignee = principalOf(user);
  if (assignee.shopIds && !assignee.shopIds.includes(head.shopId))
    throw ruleViolation({ path: 'username', message: `does not work for shop ${head.shopId}` });
  if (!abilityOf(assignee).can('read', 'Order'))
    throw ruleViolation({ path: 'username', message: 'may not see orders' });
  return { type: 'assign', username: assignee.id };
};
