export { orderWorkflow } from './order-workflow.ts';
export { pollShopWorkflow } from './poll-shop-workflow.ts';
export { shopMessagesWorkflow } from './shop-messages-workflow.ts';
export { backfillWorkflow } from './backfill-workflow.ts';
export { distributeShopWorkflow } from './distribute-shop-workflow.ts';
