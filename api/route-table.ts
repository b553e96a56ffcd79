import { isInTable } from './auth/policy.ts';
import type { Route } from './route.ts';

/** All routes, fixed paths before those with parameters. Throws for two of the same, and for one without a rule. */
export class RouteTable {
  readonly routes: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.routes = routes.toSorted((a, b) => compare(a.path, b.path));
    assertUnique(routes.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`));
    assertUnique(routes.map(({ operationId }) => operationId));
    for (const { access, operationId } of routes)
      if (access !== 'public' && !isInTable(access.action, access.subject))
        throw new Error(`${operationId}: nobody may ${access.action} ${access.subject}; add it to the policy`);
  }

  /** What a path may be asked with; empty when there is nothing. */
  methodsAt(path: string): string[] {
    const methods = this.routes
      .filter((route) => patternOf(route.path).test(path))
      .map(({ method }) => method as string);
    return methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  }
}

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .split(/\{\w+\}/)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^/]+')}$`,
  );

function compare(a: string, b: string): number {
  const as = a.split('/');
  const bs = b.split('/');
  for (let i = 0; i < Math.min(as.length, bs.length); i += 1) {
    const isParamA = as[i]?.startsWith('{') ? 1 : 0;
    const isParamB = bs[i]?.startsWith('{') ? 1 : 0;
    if (isParamA !== isParamB) return isParamA - isParamB;
  }
  return 0;
}

function assertUnique(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`Declared twice: ${twice}`);
}
