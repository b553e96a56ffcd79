import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Whatever can change the bundle. Activities are not in it: workflows know them by type only. */
const SOURCES = ['workflows', 'domain', 'runtime', 'package-lock.json', 'scripts/build-workflows.ts'];

const filesUnder = (path: string): string[] => {
  if (!existsSync(join(root, path))) return [];
  const entries =
    path.endsWith('.ts') || path.endsWith('.json') ? [] : readdirSync(join(root, path), { recursive: true });
  const files = entries.map((entry) => join(path, String(entry))).filter((file) => file.endsWith('.ts'));
  return entries.length === 0 ? [path] : files.filter((file) => !file.includes('embedded')).sort();
};

/** The name of the bundle that belongs to the sources as they are now. */
export const bundleName = (): string => {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap(filesUnder))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)));
  return `workflows-${hash.digest('hex').slice(0, 16)}.js`;
};

/** Bundles the workflows into `file`, which appears complete or not at all. */
export const buildWorkflows = async (file: string): Promise<void> => {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows', 'index.ts'),
    failureConverterPath: join(root, 'runtime', 'failure-converter.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, code);
  renameSync(`${file}.part`, file);
};

/** A running worker holds its bundle in memory, so that older ones can go. */
export const removeOldBundles = (folder: string, keep: string): void => {
  for (const name of readdirSync(folder))
    if (/^workflows-[0-9a-f]{16}\.js$/.test(name) && name !== keep) rmSync(join(folder, name), { force: true });
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const target = resolve(process.argv[2] ?? join(root, 'dist', 'workflows.js'));
  await buildWorkflows(target);
  console.log(`workflows bundled into ${target}`);
}
