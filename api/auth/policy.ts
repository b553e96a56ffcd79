import { createMongoAbility } from '@casl/ability';
import type { ForcedSubject, MongoAbility, MongoQuery, RawRuleOf } from '@casl/ability';
import type { CaseCode } from '../../domain/order-model.ts';

export const ROLES = [
  'admin',
  'cs_agent',
  'cs_supervisor',
  'finance',
  'operations',
  'warehouse',
  'auditor',
  'service',
] as const;
export type Role = (typeof ROLES)[number];

export const SIGNING_ROLES = ['cs_supervisor', 'finance', 'operations'] as const satisfies readonly Role[];
export type SigningRole = (typeof SIGNING_ROLES)[number];

/** What a key for a service may hold: no role that signs for a person, none that grants roles. */
export const API_KEY_ROLES = ['service', 'warehouse', 'auditor'] as const satisfies readonly Role[];

/** `manage` implies every other action on its subject. */
export type Action =
  | 'read'
  | 'reveal'
  | 'create'
  | 'pay'
  | 'command'
  | 'release'
  | 'assign'
  | 'ship'
  | 'route'
  | 'export'
  | 'sync'
  | 'manage'
  | 'write'
  | 'confirm'
  | 'resolve'
  | 'decode';

export type SubjectName =
  | 'Order'
  | 'Stock'
  | 'Shop'
  | 'Warehouse'
  | 'SkuMapping'
  | 'User'
  | 'ApiKey'
  | 'Config'
  | 'Case'
  | 'Audit'
  | 'Payload'
  | 'LogLevel'
  | 'Me';

export type AppAbility = MongoAbility<[Action, SubjectName | (Record<string, unknown> & ForcedSubject<SubjectName>)]>;

/** Who asks. `id` is the user name of a person, the key id of a service. */
export interface Principal {
  readonly kind: 'user' | 'service' | 'anonymous';
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Absent = all shops. */
  readonly shopIds?: readonly string[];
}

export const ANONYMOUS: Principal = { kind: 'anonymous', id: 'anonymous', name: 'anonymous', roles: [] };

type Scope = (principal: Principal) => MongoQuery<Record<string, unknown>>;
type Grants = Partial<Record<Role, Scope>>;

const everything: Scope = () => ({});
const ofShops: Scope = ({ shopIds }) => (shopIds ? { shopId: { $in: [...shopIds] } } : {});
const assigned: Scope = (principal) => ({ ...ofShops(principal), assignee: principal.id });
const toShip: Scope = (principal) => ({
  ...ofShops(principal),
  status: { $in: ['processing', 'awaiting_shipment', 'partially_shipped'] },
});
const namedLike =
  (pattern: RegExp): Scope =>
  () => ({ name: { $regex: pattern } });

const grant = (scope: Scope, ...roles: Role[]): Grants => Object.fromEntries(roles.map((role) => [role, scope]));

/** Cases are open to the roles that may act on them; admin acts on all. */
const CASE_ROLES: Record<CaseCode, readonly Role[]> = {
  unknown_sku: ['operations'],
  unknown_status: ['operations'],
  mapping_failed: ['operations'],
  amount_mismatch: ['finance'],
  overpaid: ['finance'],
  late_payment: ['cs_supervisor', 'operations', 'finance'],
  phone_refused: ['cs_agent', 'cs_supervisor', 'operations'],
  address_changed_late: ['cs_agent', 'cs_supervisor', 'operations', 'warehouse'],
  wms_refused: ['operations', 'warehouse'],
  activity_exhausted: ['operations'],
  no_signer: [],
  payout_failed: ['finance'],
  refunded_by_platform: ['finance'],
  amount_differs: ['finance', 'cs_supervisor'],
  cancelled_not_refunded: ['finance', 'cs_supervisor'],
  return_to_buyer: ['warehouse', 'cs_supervisor'],
  deposit_kept: ['finance'],
  shop_token_dead: ['operations'],
  reconciliation_difference: ['finance'],
  foreign_write: [],
  dead_letter: ['operations'],
  refund_due: ['finance', 'cs_supervisor'],
};

const casesOf =
  (role: Role): Scope =>
  (principal) => ({
    ...(role === 'cs_agent' ? assigned(principal) : ofShops(principal)),
    code: { $in: Object.entries(CASE_ROLES).flatMap(([code, roles]) => (roles.includes(role) ? [code] : [])) },
  });

const caseWorkers: Grants = Object.fromEntries(
  (['cs_agent', 'cs_supervisor', 'finance', 'operations', 'warehouse'] as const).map((role) => [role, casesOf(role)]),
);

const OPERATIONS_CONFIG = /^(allocation-rules|timers|order-flow|(courier|field|status|reason)-mappings\..+)$/;
const CONFIRMED_CONFIG = /^(approval-tiers|refund-rules|risk-rules)$/;

/** The table of who may do what. Whatever is not in it is refused. */
const TABLE: readonly (readonly [Action, SubjectName, Grants])[] = [
  [
    'read',
    'Order',
    {
      ...grant(ofShops, 'admin', 'cs_supervisor', 'finance', 'operations', 'warehouse', 'auditor', 'service'),
      cs_agent: assigned,
    },
  ],
  ['reveal', 'Order', { cs_agent: assigned, cs_supervisor: ofShops, warehouse: toShip, service: ofShops }],
  ['create', 'Order', grant(ofShops, 'admin', 'service')],
  ['pay', 'Order', grant(ofShops, 'admin', 'service')],
  ['command', 'Order', { ...grant(ofShops, 'admin', 'cs_supervisor', 'operations', 'service'), cs_agent: assigned }],
  // Which hold ends by whom is the domain's rule; some are finance's alone.
  [
    'release',
    'Order',
    { ...grant(ofShops, 'admin', 'cs_supervisor', 'operations', 'service', 'finance'), cs_agent: assigned },
  ],
  ['assign', 'Order', grant(ofShops, 'admin', 'cs_agent', 'cs_supervisor', 'operations')],
  ['ship', 'Order', grant(ofShops, 'admin', 'warehouse', 'service')],
  ['route', 'Order', grant(ofShops, 'admin', 'cs_supervisor', 'operations')],
  ['export', 'Order', grant(ofShops, 'admin', 'finance', 'operations', 'auditor')],
  ['read', 'Stock', grant(everything, ...ROLES)],
  ['manage', 'Stock', grant(everything, 'admin', 'warehouse', 'service')],
  ['manage', 'Shop', grant(ofShops, 'admin')],
  // How its orders are collected: poll, pause, backfills.
  ['sync', 'Shop', grant(ofShops, 'admin', 'operations')],
  ['read', 'Shop', grant(ofShops, 'admin', 'cs_supervisor', 'finance', 'operations', 'auditor')],
  ['manage', 'Warehouse', grant(everything, 'admin')],
  ['read', 'Warehouse', grant(everything, 'admin', 'cs_supervisor', 'finance', 'operations', 'auditor')],
  ['manage', 'SkuMapping', grant(ofShops, 'admin', 'operations')],
  ['read', 'SkuMapping', grant(ofShops, 'admin', 'cs_supervisor', 'finance', 'operations', 'auditor')],
  ['manage', 'User', grant(everything, 'admin')],
  ['manage', 'ApiKey', grant(everything, 'admin')],
  ['read', 'Config', grant(everything, 'admin', 'cs_supervisor', 'finance', 'operations', 'auditor')],
  ['write', 'Config', { admin: everything, operations: namedLike(OPERATIONS_CONFIG) }],
  ['confirm', 'Config', { finance: namedLike(CONFIRMED_CONFIG) }],
  ['read', 'Case', { ...grant(ofShops, 'admin', 'auditor'), ...caseWorkers }],
  ['resolve', 'Case', { ...grant(ofShops, 'admin'), ...caseWorkers }],
  ['read', 'Audit', grant(ofShops, 'admin', 'auditor')],
  ['decode', 'Payload', grant(everything, 'admin')],
  ['manage', 'LogLevel', grant(everything, 'admin')],
  ['read', 'Me', grant(everything, ...ROLES)],
];

/** The rules of one caller; scopes are in them as conditions, so that `accessibleBy` turns them into query filters. */
export function abilityOf(principal: Principal): AppAbility {
  const rules: RawRuleOf<AppAbility>[] = TABLE.flatMap(([action, subject, grants]) =>
    principal.roles.flatMap((role) => {
      const scope = grants[role];
      return scope ? [{ action, subject, conditions: scope(principal) }] : [];
    }),
  );
  return createMongoAbility<AppAbility>(rules);
}

/** Whether the table has the pair at all; a route that names another one is a mistake in the route. */
export const isInTable = (action: Action, subject: SubjectName): boolean =>
  TABLE.some(([a, s]) => s === subject && (a === action || a === 'manage'));

/** Only a person signs, and nobody who holds `admin`, whatever else they hold. */
export const maySignAs = (principal: Principal, role: SigningRole): boolean =>
  principal.kind === 'user' && principal.roles.includes(role) && !principal.roles.includes('admin');

/** Whether everything that `shopIds` opens is open to the caller too; keeps a scoped admin from granting more than they have. */
export const coversShops = (principal: Principal, shopIds: readonly string[] | undefined): boolean =>
  principal.shopIds === undefined || (shopIds !== undefined && shopIds.every((id) => principal.shopIds?.includes(id)));
