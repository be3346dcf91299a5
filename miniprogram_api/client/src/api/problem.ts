// Why something was not done, in words for the person: the platform's own (problem+json), else ours.

export interface FieldProblem {
  place: string;
  message: string;
}

export interface ProblemJson {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors?: FieldProblem[];
  [more: string]: unknown;
}

export class Problem extends Error {
  constructor(
    readonly type: string,
    readonly title: string,
    readonly detail: string,
    readonly status = 0,
    readonly fields: FieldProblem[] = [],
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail);
  }

  /** Worth trying again without changing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** The words for one field, by its place in the body. */
  field(place: string): string {
    return this.fields.find((one) => one.place === place || one.place.startsWith(`${place}.`))?.message ?? "";
  }

  /** All that is to be said, for a place where there is only room for one text. */
  get words(): string {
    const fields = this.fields.map((one) => one.message).filter((message) => !this.detail.includes(message));
    return [this.detail, ...fields].join(" ");
  }
}

export const noNetwork = () => new Problem("no-network", "网络不通", "请检查手机的网络后重试。已填写的内容不会丢失。");
export const tooSlow = () => new Problem("too-slow", "网络太慢", "平台没有及时回答，请稍后重试。已填写的内容不会丢失。");
const portal = () => new Problem("portal", "当前网络需要先登录", "现在连接的无线网络（如宾馆、机场的 Wi-Fi）可能要先在浏览器中登录。请登录后重试，或改用手机流量。");
const broken = (status: number, id: string) => new Problem("broken", "平台暂时不能办理", `请稍后重试；一直不行的，请把编号告诉培训机构：${id || status}。`, status);

const isProblem = (data: unknown): data is ProblemJson => typeof data === "object" && data !== null && "type" in data && "title" in data && "detail" in data;

/** Of an answer that is no success; or of a success that is not ours, as a hotel's portal gives. */
export function problemOf(status: number, data: unknown, header: Record<string, string>): Problem {
  if (isProblem(data)) {
    const { type, title, detail, errors, instance, status: _status, ...more } = data;
    const shown = status >= 500 && instance ? `${detail}（编号 ${instance}）` : detail;
    return new Problem(type, title, shown, status, errors ?? [], more);
  }
  const id = header["X-Request-Id"] ?? header["x-request-id"] ?? "";
  return status < 500 ? portal() : broken(status, id);
}
