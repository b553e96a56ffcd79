import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { invalidField } from './errors.ts';

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6');

export const isPrivateAddress = (address: string): boolean => {
  const version = isIP(address);
  if (version === 4) return PRIVATE.check(address, 'ipv4');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ? PRIVATE.check(mapped, 'ipv4') : PRIVATE.check(address, 'ipv6');
};

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
  if (originOnly && (url.pathname !== '/' || url.search))
    throw invalidField(path, 'must be an origin: scheme, host and port');
  if (!allowPrivate && (await isPrivateHost(url.hostname)))
    throw invalidField(path, 'is on a loopback or private address; ORDERHUB_ALLOW_PRIVATE_URLS=1 allows that');
  return originOnly ? url.origin : url.href;
};

const isPrivateHost = async (hostname: string): Promise<boolean> => {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host)) return isPrivateAddress(host);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  // A name that does not resolve now is checked again when it is called.
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.some(({ address }) => isPrivateAddress(address));
};
