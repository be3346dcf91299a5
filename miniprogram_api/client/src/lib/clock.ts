// The server's time: a phone's clock may be an hour off, and what it shows of "now" must not depend on it.

let ahead = 0;

/** By the `Date` of an answer, which every server gives. */
export function heard(date: string | undefined): void {
  const told = date ? Date.parse(date) : NaN;
  if (!Number.isNaN(told)) ahead = told - Date.now();
}

export const now = (): number => Date.now() + ahead;
