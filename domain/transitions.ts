/** Every state is a key, its value the states that it may move to; `[]` marks an end. */
export type Transitions<S extends string> = { readonly [K in S]: readonly S[] };

export const mayMove = <S extends string>(table: Transitions<S>, from: S, to: S): boolean =>
  from === to || table[from].includes(to);

export const isEnd = <S extends string>(table: Transitions<S>, state: S): boolean => table[state].length === 0;
