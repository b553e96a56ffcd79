import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderCommand } from '../../domain/order-messages.ts';
import { hold, lineOf, paidSnapshot, Play, RECEIVER } from './samples.ts';

const order = (): Play => {
  const lines = [lineOf('1', 2)];
  const play = Play.opened(paidSnapshot({ lines }), () => ({
    state: 'reserved',
    allocations: [{ warehouseId: 'w1', courier: null, lines: [{ lineId: '1', quantity: 2 }] }],
    handedOver: [],
  }));
  play.tell({ type: 'handedOver', code: 'own1.W1.D1' });
  return play;
};

const allLeft: OrderCommand = {
  type: 'reportParcels',
  warehouseId: 'w1',
  deliveryOrderCode: 'own1.W1.D1',
  outBizCode: 'C1',
  isFinal: true,
  parcels: [{ courier: 'SF', trackingNo: 'T1', lines: [{ lineId: '1', quantity: 2 }] }],
};
const refused = { type: 'stopRefused', code: 'own1.W1.D1', detail: 'too late' } as const;

/** The warehouse's two words may come in either order; a person hears of it once. */
for (const [when, ...words] of [
  ['before', allLeft, refused],
  ['after', refused, allLeft],
] as const) {
  test(`goods that leave ${when} the warehouse refuses to stop them for another address are a case`, () => {
    const play = order();
    play.tell({ type: 'changeAddress', receiver: { ...RECEIVER, district: '上城区', addressIndex: 'other' } });
    for (const word of words) play.tell(word);
    assert.deepEqual([play.state.shipments.length, play.cases], [1, ['address_changed_late']]);
  });

  test(`goods that leave ${when} the warehouse refuses to stop them for a hold are a case`, () => {
    const play = order();
    play.tell(hold('manual'));
    for (const word of words) play.tell(word);
    assert.deepEqual([play.state.shipments.length, play.cases], [1, ['wms_refused']]);
  });

  test(`goods that leave ${when} the warehouse refuses to stop them for a cancel end the attempt, without a case`, () => {
    const play = order();
    play.tell({ type: 'cancel', reason: 'changed mind' });
    assert.notEqual(play.state.cancelRequest, null);
    for (const word of words) play.tell(word);
    assert.deepEqual([play.state.cancelRequest, play.state.shipments.length, play.cases], [null, 1, []]);
  });
}
