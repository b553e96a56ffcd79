import { DefaultFailureConverter } from '@temporalio/common';

/** Moves messages and stacks of failures into a payload, so that the codec encrypts them too. Loaded by path, also into workflows. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
