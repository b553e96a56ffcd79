import { fileURLToPath } from 'node:url';
import {
  DefaultLogger,
  bundleWorkflowCode,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { FAILURE_CONVERTER_PATH } from '../runtime/temporal.ts';

let own: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The prebuilt bundle, when one is named; otherwise one that is made now, once for all workers of the process. */
export const workflowSource = async (
  bundlePath: string | undefined,
): Promise<Pick<WorkerOptions, 'workflowBundle'>> => ({
  workflowBundle:
    bundlePath === undefined
      ? await (own ??= bundleWorkflowCode({
          workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
          failureConverterPath: FAILURE_CONVERTER_PATH,
          logger: new DefaultLogger('ERROR'),
        }))
      : { codePath: bundlePath },
});
