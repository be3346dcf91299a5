// A `wx` for tests: storage in memory, a log-in that always works, and requests that a test answers one by one.

export interface Asked {
  url: string;
  method: string;
  data: unknown;
  header: Record<string, string>;
}

type Reply = { statusCode: number; data: unknown; header?: Record<string, string> } | { errMsg: string };

export class Stub {
  readonly asked: Asked[] = [];
  readonly kept = new Map<string, unknown>();
  logIns = 0;
  full = false;
  /** What lies on the phone: every byte of a file is its position. */
  readonly files = new Map<string, number>();
  private readonly replies: Reply[] = [];

  constructor() {
    Object.assign(globalThis, { wx: this.wx() });
  }

  /** The next answers, in their order; log-ins are answered by themselves. */
  answers(...replies: Reply[]): void {
    this.replies.push(...replies);
  }

  private wx() {
    return {
      login: async () => ({ code: "code" }),
      getStorageSync: (key: string) => this.kept.get(key) ?? "",
      setStorageSync: (key: string, data: unknown) => {
        if (this.full) throw new Error("exceed storage max size");
        this.kept.set(key, data);
      },
      removeStorageSync: (key: string) => void this.kept.delete(key),
      getStorageInfoSync: () => ({ keys: [...this.kept.keys()] }),
      getFileSystemManager: () => ({
        readFile: ({ filePath, position, length, success, fail }: { filePath: string; position: number; length: number; success(answer: unknown): void; fail(): void }) => {
          if (!this.files.has(filePath)) return fail();
          success({ data: Uint8Array.from({ length }, (_, index) => position + index).buffer });
        },
      }),
      stopPullDownRefresh: () => undefined,
      request: (options: Asked & { success(answer: unknown): void; fail(failure: unknown): void }) => {
        if (options.url.endsWith("/login")) {
          this.logIns += 1;
          const session = { token: `token-${this.logIns}`, expires_at: new Date(Date.now() + 3_600_000).toISOString(), bound: true };
          return options.success({ statusCode: 200, data: session, header: {} });
        }
        this.asked.push({ url: options.url, method: options.method, data: options.data, header: options.header });
        const reply = this.replies.shift();
        if (!reply) throw new Error(`nothing answers ${options.url}`);
        return "errMsg" in reply ? options.fail(reply) : options.success({ header: {}, ...reply });
      },
    };
  }
}
