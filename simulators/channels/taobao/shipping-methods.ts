import { COMPANIES } from './companies.ts';
import { consign, type ConsignInput } from './consign.ts';
import type { CallContext, SellerCallContext } from './methods.ts';
import { missingArgument } from './top-error.ts';
import { ownTrade } from './trade-methods.ts';

export const sendOffline = (context: SellerCallContext): string => send(context, 'offline');
export const sendOnline = (context: SellerCallContext): string => send(context, 'online');

/** For what needs no courier. */
export const sendDummy = (context: SellerCallContext): string => {
  const { tid } = ownTrade(context, 'isv.logistics-dummy-service-error:B01');
  return ship(context, tid, { service: 'dummy', outSid: '', companyCode: '', subTids: undefined, isSplit: false });
};

const send = (context: SellerCallContext, service: 'offline' | 'online'): string => {
  const { args } = context;
  const { tid } = ownTrade(context, `isv.logistics-${service}-service-error:B01`);
  const outSid = args.required('out_sid');
  const companyCode = args.required('company_code');
  const isSplit = args.integer('is_split', { least: 0, most: 1, otherwise: 0 }) === 1;
  const subTids = args.optional('sub_tid') === undefined ? undefined : args.ids('sub_tid', 200);
  return ship(context, tid, { service, outSid, companyCode, subTids, isSplit });
};

const ship = ({ platform }: SellerCallContext, tid: string, input: ConsignInput): string => {
  platform.change(tid, (trade, at) => consign(trade, input, at));
  return '"shipping":{"is_success":true}';
};

export const listCompanies = ({ args }: CallContext): string => {
  const fields = args.list('fields');
  if (!fields) throw missingArgument('fields');
  const companies = [...COMPANIES.values()].map((company) =>
    Object.fromEntries(Object.entries(company).filter(([name]) => fields.includes(name))),
  );
  return `"logistics_companies":{"logistics_company":${JSON.stringify(companies)}}`;
};
