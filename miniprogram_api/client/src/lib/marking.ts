// Grading with one hand: what the taps offer, who is next, what is missing. Pure.
export interface Work {
  person_id: string;
  graded: boolean;
  submission: unknown;
}

const PARTS = [1, 0.9, 0.8, 0.7, 0.6, 0];

/** A few points to tap, best first; those between come by − and +. */
export const taps = (maximum: number): number[] => [...new Set(PARTS.map((part) => Math.round(maximum * part)))];

export const clamp = (points: number, maximum: number): number => Math.max(0, Math.min(maximum, points));

export const sum = (scores: Record<string, number>): number => Object.values(scores).reduce((all, one) => all + one, 0);

/** The criteria that have no points yet: no points are neither zero nor failed. */
export const open = (keys: readonly string[], scores: Record<string, number>): string[] => keys.filter((key) => scores[key] === undefined);

/** Who handed in and waits for a grade, after this person and then from the top; null: nobody. */
export function nextUngraded(works: readonly Work[], person: string): string | null {
  const at = works.findIndex((one) => one.person_id === person);
  const round = [...works.slice(at + 1), ...works.slice(0, Math.max(0, at))];
  return round.find((one) => one.submission && !one.graded)?.person_id ?? null;
}

export type Filter = "waiting" | "graded" | "nothing";

export const filterOf = (one: Work): Filter => (one.graded ? "graded" : one.submission ? "waiting" : "nothing");
