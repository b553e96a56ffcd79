/** The counters do not have what an earlier step put there: a bug or a foreign write, never a matter of retrying. */
export class LedgerMismatch extends Error {
  override name = 'LedgerMismatch';
}

/** Somebody else moved a counter between our read and our write; the batch is run again. */
export class LostRace extends Error {
  override name = 'LostRace';
}

/** There are goods in a warehouse that is newer than the list of warehouses; the batch is run again with a new one. */
export class StaleWarehouses extends Error {
  override name = 'StaleWarehouses';
}
