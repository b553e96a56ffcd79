import type { Happening } from '../domain/order-step.ts';
import type { WrittenStepNote } from './commit-requests.ts';

export interface StepLogger {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  isEnabled(level: 'info'): boolean;
}

/**
 * One line for each step of an order, so that its life can be followed from arrival to end. Codes only: what people or
 * platforms have written may name somebody.
 */
export const logSteps =
  (log: StepLogger) =>
  ({ orderId, revision, actor, fields, happened }: WrittenStepNote): void => {
    if (!log.isEnabled('info')) return;
    const { status, holdCodes } = fields;
    log.info('order', {
      orderId,
      revision,
      happened: happened.map((one) => inCodes(one, orderId)).join(' '),
      status,
      ...(holdCodes.length > 0 ? { holds: holdCodes.join(' ') } : {}),
      by: actor.id,
    });
  };

/** Which hold, case, parcel, delivery or word of a platform, as far as it is a code. */
const SAID = ['shipmentId', 'status', 'code', 'warehouses'];

const inCodes = ({ code, params }: Happening, orderId: string): string => {
  const said = SAID.map((name) => params[name]).find((value) => typeof value === 'string');
  return said === undefined ? code : `${code}(${said.replace(`${orderId}.`, '').slice(0, 64)})`;
};
