import { z } from 'zod';
import { idSchema, textSchema, timestampSchema } from '../schemas.ts';
import { secretSchema } from '../secrets.ts';

export const warehouseBodySchema = z.strictObject({
  name: textSchema(128),
  province: textSchema(64),
  city: textSchema(64),
  wms: z
    .strictObject({
      type: z.literal('qimen'),
      baseUrl: z.string().max(2048).meta({ description: 'The whole URL', example: 'https://wms.example.com/router' }),
      appKey: textSchema(256),
      secret: secretSchema,
      customerId: textSchema(256),
    })
    .optional()
    .meta({ description: 'Without it, the warehouse is worked through REST' }),
});

export type WarehouseBody = z.output<typeof warehouseBodySchema>;

export const warehouseSchema = z
  .object({
    warehouseId: idSchema,
    name: z.string(),
    province: z.string(),
    city: z.string(),
    wms: z
      .object({
        type: z.literal('qimen'),
        baseUrl: z.string(),
        appKey: z.string(),
        customerId: z.string(),
      })
      .nullable(),
    revision: z.int(),
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Warehouse' });
