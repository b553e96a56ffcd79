import type { TradeStage } from './demo-trades.ts';

type Trouble = (stage: Pick<TradeStage, 'taobao' | 'wms'>) => unknown;

const READ = 'taobao.trade.fullinfo.get';
const LIST = 'taobao.trades.sold.increment.get';
const TELL = 'taobao.logistics.offline.send';
const CREATE = 'deliveryorder.create';
const CONFIRM = 'deliveryorder.confirm';

/** What goes wrong between systems now and then, each once; nothing of it may be seen in the orders. */
export const TROUBLES: readonly Trouble[] = [
  ({ taobao }) => taobao.addFault({ kind: 'throttle', method: LIST, times: 1, seconds: 3 }),
  ({ wms }) => wms.faults.add({ kind: 'lost-answer', method: CREATE, times: 1 }),
  ({ taobao }) => taobao.addFault({ kind: 'lost-answer', method: TELL, times: 1 }),
  ({ wms }) => wms.faults.add({ kind: 'duplicate-report', method: CONFIRM, times: 1 }),
  ({ taobao }) => taobao.addFault({ kind: 'cut', method: LIST, times: 1 }),
  ({ wms }) => wms.faults.add({ kind: 'busy', method: CREATE, times: 1 }),
  ({ taobao }) => taobao.addFault({ kind: 'isp', method: TELL, times: 1 }),
  ({ wms }) => wms.faults.add({ kind: 'out-of-order', times: 1 }),
  ({ taobao }) => taobao.addFault({ kind: 'expire-session', times: 1 }),
  ({ wms }) => wms.faults.add({ kind: 'http-500', times: 1 }),
  ({ taobao }) => taobao.addFault({ kind: 'not-json', method: READ, times: 1 }),
  ({ taobao }) => taobao.addFault({ kind: 'slow', times: 1, ms: 4000 }),
];
