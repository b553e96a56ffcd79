import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalidField } from './errors.ts';

/** Loopback, private, link-local, shared, documentation, multicast and reserved networks. */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6');

/** An IPv4 address written as IPv6 counts as what it is. */
export const isPrivateAddress = (address: string): boolean =>
  PRIVATE.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

export interface UrlRules {
  /** From the configuration: only while OrderHub itself listens on loopback, unless set. */
  allowPrivate: boolean;
  /** Nothing but scheme, host and port. */
  originOnly?: boolean;
}

/**
 * The URL in its normal form; throws the problem that names `path` when it is none that OrderHub may call: no user or
 * fragment, http or https, and unless allowed no loopback or private address, also not by way of a name.
 */
export const assertCallableUrl = async (
  text: string,
  path: string,
  { allowPrivate, originOnly = false }: UrlRules,
): Promise<string> => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw invalidField(path, 'must be an http or https URL');
  if (url.username || url.password || url.hash) throw invalidField(path, 'must hold no user, password or fragment');
  if (originOnly && (url.pathname !== '/' || text.includes('?')))
    throw invalidField(path, 'must be an origin: scheme, host and port');
  if (!allowPrivate && (await isPrivateHost(url.hostname)))
    throw invalidField(path, 'is on a loopback or private address; ORDERHUB_ALLOW_PRIVATE_URLS=1 allows that');
  return originOnly ? url.origin : url.href;
};

const LOCAL_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/;
const LOOKUP_LIMIT_MS = 2000;

const isPrivateHost = async (hostname: string): Promise<boolean> => {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(host)) return isPrivateAddress(host);
  if (!host.includes('.') || LOCAL_NAME.test(host)) return true;
  // A name that does not resolve now is checked again when it is called.
  const late = sleep(LOOKUP_LIMIT_MS, [], { ref: false });
  const addresses = await Promise.race([lookup(host, { all: true }).catch(() => []), late]);
  return addresses.some(({ address }) => isPrivateAddress(address));
};
