import { loadDataDir } from '../runtime/config.ts';
import { KEY_KINDS, loadKeyring } from '../runtime/keyring.ts';
import type { KeyKind } from '../runtime/keyring.ts';

const USAGE = `Adds a new current key; what older keys sealed or signed can still be opened.

  node --import tsx scripts/rotate-keys.ts <kind> [<kind>…]     kinds: ${KEY_KINDS.join(', ')}

Reads the folder from ORDERHUB_DATA. Running processes take the new key up when they meet it, at the latest when they
are restarted. Keys that are given by ORDERHUB_KEYS_* are rotated there: put the new one first.
`;

const kinds = process.argv.slice(2);
if (kinds.length === 0 || kinds.some((kind) => !(KEY_KINDS as readonly string[]).includes(kind))) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const keyring = await loadKeyring(loadDataDir(), { onWarning: (message) => console.warn(message) });
  for (const kind of kinds as KeyKind[]) {
    const before = keyring.current(kind).id;
    const key = await keyring.rotate(kind);
    console.log(`${kind}: ${key.id} is the current key, it was ${before}; ${keyring.all(kind).length} in all`);
  }
}
