/** Couriers as the platform lists them. */
export interface Company {
  id: number;
  code: string;
  name: string;
  reg_mail_no: string;
}

const company = (id: number, code: string, name: string): [string, Company] => [
  code,
  { id, code, name, reg_mail_no: '^[A-Za-z0-9-]{4,40}$' },
];

export const COMPANIES: ReadonlyMap<string, Company> = new Map([
  company(505, 'SF', '顺丰速运'),
  company(101, 'YTO', '圆通速递'),
  company(500, 'ZTO', '中通快递'),
  company(100, 'STO', '申通快递'),
  company(102, 'YUNDA', '韵达快递'),
  company(2, 'EMS', 'EMS'),
  company(1, 'POST', '中国邮政'),
  company(1204, 'EYB', 'EMS经济快递'),
  company(200734385, 'POSTB', '邮政快递包裹'),
  company(502, 'HTKY', '百世快递'),
  company(5000000110730, 'DBKD', '德邦快递'),
  company(1207, 'JTSD', '极兔速递'),
  company(1216, 'JD', '京东快递'),
  company(-1, 'OTHER', '其他'),
]);
