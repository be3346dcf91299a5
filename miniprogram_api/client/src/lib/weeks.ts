// Weeks from Monday to Sunday, of Beijing.

const DAY_MS = 24 * 3600 * 1000;
const BEIJING_MS = 8 * 3600 * 1000;
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** First and last day of the week of a moment, or of one so many weeks later. */
export function weekOf(moment: number, later = 0): [string, string] {
  const today = moment + BEIJING_MS;
  const monday = today - ((new Date(today).getUTCDay() + 6) % 7) * DAY_MS + later * 7 * DAY_MS;
  return [iso(monday), iso(monday + 6 * DAY_MS)];
}

/** 2026-03-02 → 3月2日 */
export const dateIn = (date: string): string => `${Number(date.slice(5, 7))}月${Number(date.slice(8, 10))}日`;
