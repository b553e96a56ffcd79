import type { Channel } from '../domain/order-model.ts';
import { CONFIG_DOCUMENTS } from './documents.ts';
import type { ConfigName, ConfigReader, StatusWord } from './documents.ts';

export interface ChannelMappings {
  /** What each of the platform's statuses means; one that is missing is unknown. */
  statuses: Readonly<Record<string, StatusWord>>;
  /** The platform's courier code by ours. */
  couriers: Readonly<Record<string, string>>;
  /** Of the two documents. */
  versions: { statuses: number; couriers: number };
}

const NONE = { version: 0, content: {} };

/** The mappings in force for a channel, at most two seconds old; empty for a channel that has no documents. */
export async function currentMappings(versions: ConfigReader, channel: Channel): Promise<ChannelMappings> {
  const [status, courier] = await Promise.all([
    read(versions, `status-mappings.${channel}`),
    read(versions, `courier-mappings.${channel}`),
  ]);
  return {
    statuses: (status.content['statuses'] ?? {}) as Record<string, StatusWord>,
    couriers: (courier.content['couriers'] ?? {}) as Record<string, string>,
    versions: { statuses: status.version, couriers: courier.version },
  };
}

const read = async (
  versions: ConfigReader,
  name: string,
): Promise<{ version: number; content: Record<string, unknown> }> =>
  Object.hasOwn(CONFIG_DOCUMENTS, name) ? versions.current(name as ConfigName) : NONE;
