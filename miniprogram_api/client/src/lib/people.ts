// Who holds this phone, fetched once and kept while the mini-program runs: what a page shows depends on it.
import { get, type Schemas } from "../api/api";

export type Me = Schemas["MeAnswer"];
let known: Me | null = null;

export async function me(): Promise<Me> {
  known = await get("/me");
  return known;
}

/** Without a call, where one was made already. */
export const meKnown = async (): Promise<Me> => known ?? me();

export const teaches = (one: Me): boolean => one.roles.includes("BACKBONE_TEACHER");
