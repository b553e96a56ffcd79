/** An engineer finds any order in the Temporal UI by these. Three lists are the limit of the engine's own store. */
export const SEARCH_ATTRIBUTES = {
  OrderStatus: 'Keyword',
  Channel: 'Keyword',
  ShopId: 'Keyword',
  RefundStatus: 'Keyword',
  HoldCode: 'KeywordList',
  ApprovalRole: 'KeywordList',
  CaseCode: 'KeywordList',
} as const;
