// The calls of the platform, typed by its OpenAPI document. A call logs in by itself, tries again where that can do no harm, and fails
// with a Problem that has the words for the person.
import { Problem, noNetwork, problemOf, tooSlow } from "./problem";
import type { components, paths } from "./schema";
import { renew, token } from "./session";
import { BASE, bearer, send, type Query, type Sent } from "./transport";

export { Problem } from "./problem";
export type Schemas = components["schemas"];

type Method = "get" | "post" | "put" | "delete";
type Operation<Path extends keyof paths, M extends Method> = NonNullable<paths[Path][M]>;
type PathsWith<M extends Method> = { [Path in keyof paths]: [paths[Path][M]] extends [undefined] ? never : Path }[keyof paths];
type Json<Response> = Response extends { content: { "application/json": infer Data } } ? Data : undefined;
export type Answer<Path extends keyof paths, M extends Method> = Operation<Path, M> extends { responses: infer Responses } ? Json<Responses[keyof Responses]> : never;
export type Body<Path extends keyof paths, M extends Method> = Operation<Path, M> extends { requestBody?: { content: { "application/json": infer Data } } } ? Data : undefined;
type Places<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? { [key in Name]: string } & Places<Rest> : unknown;

const TRIES = 3;
const PAUSE_MS = 600;

/** `/classes/{class_id}` with its places filled. */
export function address(path: string, places: Record<string, string> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = places[name];
    if (!value) throw new Error(`${path} without ${name}`);
    return encodeURIComponent(value);
  });
}

export function get<Path extends PathsWith<"get"> & string>(path: Path, places?: Places<Path>, query?: Query): Promise<Answer<Path, "get">> {
  return call("GET", address(path, places as Record<string, string>), { query }, true) as Promise<Answer<Path, "get">>;
}

/** A body with a `nonce` may be sent again: the platform answers the second time as the first. */
export function post<Path extends PathsWith<"post"> & string>(path: Path, body: Body<Path, "post">, places?: Places<Path>): Promise<Answer<Path, "post">> {
  const repeatable = typeof body === "object" && body !== null && "nonce" in body;
  return call("POST", address(path, places as Record<string, string>), { body: body ?? {} }, repeatable) as Promise<Answer<Path, "post">>;
}

export function put<Path extends PathsWith<"put"> & string>(path: Path, body: Body<Path, "put">, places?: Places<Path>): Promise<Answer<Path, "put">> {
  return call("PUT", address(path, places as Record<string, string>), { body }, true) as Promise<Answer<Path, "put">>;
}

async function call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, sent: Sent, repeatable: boolean): Promise<unknown> {
  let renewed = false;
  for (let tries = 1; ; tries += 1) {
    try {
      return await send(method, path, { ...sent, token: await token() });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401 && !renewed) {
        renewed = true;
        await renew();
        continue;
      }
      const again = error.status === 0 || error.status >= 502;
      if (!repeatable || !again || error.type === "portal" || tries >= TRIES) throw error;
      await new Promise((done) => setTimeout(done, PAUSE_MS * tries));
    }
  }
}

/** A part of a file: sent again, it changes nothing. */
export const putBytes = (path: string, bytes: ArrayBuffer): Promise<unknown> => call("PUT", path, { bytes }, true);

/** A file of the platform, on the phone: its path there. */
export async function download(path: string, places: Record<string, string> = {}): Promise<string> {
  const held = await token();
  const answer = await new Promise<WechatMiniprogram.DownloadFileSuccessCallbackResult>((success, fail) => {
    wx.downloadFile({ url: BASE + address(path, places), header: bearer(held), timeout: 60_000, success, fail });
  }).catch((failure: { errMsg?: string }) => {
    throw /timeout/.test(failure.errMsg ?? "") ? tooSlow() : noNetwork();
  });
  if (answer.statusCode === 200) return answer.tempFilePath;
  throw problemOf(answer.statusCode, await refusalIn(answer.tempFilePath), {});
}

/** A refusal comes as a file too. */
async function refusalIn(filePath: string): Promise<unknown> {
  try {
    return JSON.parse(await new Promise<string>((success, fail) => {
      wx.getFileSystemManager().readFile({ filePath, encoding: "utf8", success: ({ data }) => success(data as string), fail });
    }));
  } catch {
    return undefined;
  }
}
