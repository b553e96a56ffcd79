import { z } from 'zod';
import { AdapterError } from '../../../domain/failures.ts';
import type { ChannelShop } from '../channel-port.ts';
import { SIGN_METHODS } from './sign.ts';
import type { TopAccount } from './top-client.ts';
import { TAOBAO } from './top-error.ts';

const credentialsSchema = z.object({
  appKey: z.string().min(1),
  appSecret: z.string().min(1),
  sessionKey: z.string().min(1),
  refreshToken: z.string().min(1).optional(),
  groupName: z.string().min(1).optional(),
  signMethod: z.enum(SIGN_METHODS).default('hmac-sha256'),
});

export interface TaobaoAccount extends TopAccount {
  refreshToken: string | undefined;
  groupName: string | undefined;
}

/** Throws `invalid`, naming the fields, for credentials with which nothing can be asked. */
export const taobaoAccount = ({ baseUrl, currency, credentials }: ChannelShop): TaobaoAccount => {
  if (currency !== 'CNY') throw new AdapterError(TAOBAO, 'invalid', `sells in CNY only, the shop is in ${currency}`);
  const parsed = credentialsSchema.safeParse(credentials);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))].join(', ');
    throw new AdapterError(TAOBAO, 'invalid', `the shop's credentials are not usable: ${fields}`);
  }
  const { refreshToken, groupName, ...rest } = parsed.data;
  return { baseUrl, ...rest, refreshToken, groupName };
};
