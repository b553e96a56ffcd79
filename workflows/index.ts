export { orderWorkflow } from './order-workflow.ts';
