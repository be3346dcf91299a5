// Dates and times in words, always Beijing's, whatever the phone is set to.

const BEIJING_MS = 8 * 3600 * 1000;
const WEEKDAYS = ["周日", "周一", "周二", "周三", "周四", "周五", "周六"];
const two = (number: number) => String(number).padStart(2, "0");

/** RFC 3339, which is all that iOS reads; fractions of a second are cut to three digits. */
export const parse = (text: string): number => Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));

const beijing = (text: string) => new Date(parse(text) + BEIJING_MS);

/** 3月2日 09:00 */
export function moment(text: string): string {
  const at = beijing(text);
  return `${at.getUTCMonth() + 1}月${at.getUTCDate()}日 ${clock(text)}`;
}

/** 09:00 */
export function clock(text: string): string {
  const at = beijing(text);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

/** 3月2日 周一 */
export function dayOf(text: string): string {
  const at = beijing(text);
  return `${at.getUTCMonth() + 1}月${at.getUTCDate()}日 ${WEEKDAYS[at.getUTCDay()]}`;
}

/** 2026-03-02 → 2026年3月2日 */
export function day(date: string): string {
  const [year, month, ofMonth] = date.split("-").map(Number);
  return `${year}年${month}月${ofMonth}日`;
}

export const period = (from: string, to: string): string => (from === to ? day(from) : `${day(from)}至${day(to)}`);
