const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The form of every id that a caller may choose (contract: `[A-Za-z0-9_-]{1,64}`). */
export const ID_PATTERN = ID;

/** `<shopId>.<platformOrderId>`: both parts match `ID_PATTERN`, so the dot separates them without doubt. */
export const orderIdOf = (shopId: string, platformOrderId: string): string => `${shopId}.${platformOrderId}`;

export const isOrderId = (text: string): boolean => {
  const parts = text.split('.');
  return parts.length === 2 && parts.every((part) => ID.test(part));
};

export const orderWorkflowId = (orderId: string): string => `order/${orderId}`;
export const orderEntity = (orderId: string): string => `order/${orderId}`;

/** One stock counter: a SKU in a warehouse. */
export const stockId = (warehouseId: string, skuCode: string): string => `${warehouseId}/${skuCode}`;

/** A case is one per order, code and occurrence, so that a repeated step opens none twice. */
export const caseIdOf = (orderId: string, code: string, revision: number): string => `${orderId}.${code}.${revision}`;

/** Of a step that could not be written, and of each time that help did not help. */
export const exhaustedCaseId = (orderId: string, revision: number, occurrence: number): string =>
  caseIdOf(orderId, 'activity_exhausted', revision) + (occurrence > 1 ? `.${occurrence}` : '');

/** Movement ids are business keys: a step that runs again finds its movement and adds none. */
export const movementId = {
  reserve: (orderId: string, round: number, warehouseId: string, skuCode: string) =>
    `reserve/${orderId}/${round}/${stockId(warehouseId, skuCode)}`,
  release: (orderId: string, revision: number, warehouseId: string, skuCode: string) =>
    `release/${orderId}/${revision}/${stockId(warehouseId, skuCode)}`,
  ship: (orderId: string, revision: number, warehouseId: string, skuCode: string) =>
    `ship/${orderId}/${revision}/${stockId(warehouseId, skuCode)}`,
  receipt: (receiptId: string, warehouseId: string, skuCode: string) =>
    `receipt/${receiptId}/${stockId(warehouseId, skuCode)}`,
  adjustment: (adjustmentId: string, warehouseId: string, skuCode: string) =>
    `adjustment/${adjustmentId}/${stockId(warehouseId, skuCode)}`,
};
