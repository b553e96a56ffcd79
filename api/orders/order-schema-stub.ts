import { z } from 'zod';

export const orderSchema = z.looseObject({ orderId: z.string() });
