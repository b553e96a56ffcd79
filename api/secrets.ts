import { z } from 'zod';
import 'zod-openapi';

/** Written, never read back. */
export const secretSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(8192)
  .regex(/^[^\p{Cc}]+$/u, 'must not hold control characters')
  .meta({ writeOnly: true });
