import type { CallContext } from './methods.ts';
import { toGmt8 } from './gmt8.ts';
import { serviceError } from './top-error.ts';

/** A new session and a new refresh token; the token itself comes as JSON text within the JSON. */
export const refreshToken = ({ platform, app, args }: CallContext): string => {
  const now = Date.now();
  const access = platform.accounts.refreshed(app, args.required('refresh_token'), now);
  if (!access) throw serviceError('isv.invalid-refresh-token', 'The refresh token is not known or was used');
  platform.setAccess(access);
  const seconds = Math.floor(((access.expiresAt ?? now) - now) / 1000);
  const token = {
    access_token: access.sessionKey,
    token_type: 'Bearer',
    expires_in: seconds,
    refresh_token: access.refreshToken,
    re_expires_in: seconds,
    r1_expires_in: seconds,
    r2_expires_in: seconds,
    w1_expires_in: seconds,
    w2_expires_in: seconds,
    taobao_user_id: platform.accounts.byNick(access.nick)?.userId,
    taobao_user_nick: encodeURIComponent(access.nick),
  };
  return `"token_result":${JSON.stringify(JSON.stringify(token))}`;
};

export const tellTime = ({ platform }: CallContext): string => `"time":"${toGmt8(platform.now())}"`;
