/** Half open, RFC 3339, UTC. */
export interface Window {
  from: string;
  to: string;
}

/** `from` to `to` in steps, oldest first, at most so many; none when there is nothing between. */
export const windowsOf = ({ from, to }: Window, stepMs: number, most = Infinity): Window[] => {
  const windows: Window[] = [];
  const end = Date.parse(to);
  for (let start = Date.parse(from); start < end && windows.length < most; start += stepMs)
    windows.push({ from: new Date(start).toISOString(), to: new Date(Math.min(start + stepMs, end)).toISOString() });
  return windows;
};

/** How many steps there are between. */
export const countWindows = ({ from, to }: Window, stepMs: number): number =>
  Math.max(0, Math.ceil((Date.parse(to) - Date.parse(from)) / stepMs));
