import type { RequestHandler } from 'express';
import type { ApiDeps } from './deps.ts';

/** Lets the Temporal UI, and no other page, call the codec endpoint from a browser. */
export const codecCors = ({ settings }: Pick<ApiDeps, 'settings'>): RequestHandler =>
  function codecCors(req, res, next) {
    if (!req.path.startsWith('/v1/codec/')) return next();
    res.vary('Origin');
    const { origin } = req.headers;
    if (origin === undefined || !settings.uiOrigins.includes(origin)) return next();
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Allow-Credentials', 'true');
    if (req.method !== 'OPTIONS') return next();
    res.setHeader('Access-Control-Allow-Methods', 'POST');
    res.setHeader('Access-Control-Allow-Headers', 'content-type, authorization, authorization-extras, x-namespace');
    res.setHeader('Access-Control-Max-Age', '600');
    res.status(204).end();
  };
