/** Tells the person at the terminal, in one sentence, what is being done. */
export type Say = (sentence: string) => void;
