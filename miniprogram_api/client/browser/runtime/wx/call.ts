// WeChat's manner of answering: `success`, `fail` and `complete`, or a promise where none of them is given.

export interface Callbacks {
  success?: (answer: unknown) => void;
  fail?: (failure: Failure) => void;
  complete?: (answer: unknown) => void;
}

export class Failure extends Error {
  readonly errMsg: string;

  constructor(name: string, why: string, readonly errno?: number) {
    super(`${name}:fail ${why}`);
    this.errMsg = this.message;
  }
}

/** `name` as WeChat's, made of a function that gives what is beside `errMsg`. */
export function call<Options extends object, Answer extends object | void>(name: string, act: (options: Options) => Answer | Promise<Answer>) {
  return (options?: Options & Callbacks): Promise<Answer & { errMsg: string }> | undefined => {
    const given = (options ?? {}) as Options & Callbacks;
    const promise = Promise.resolve()
      .then(() => act(given))
      .then((answer) => ({ ...(answer ?? {}), errMsg: `${name}:ok` }) as Answer & { errMsg: string });
    if (!given.success && !given.fail && !given.complete) return promise;
    promise.then(
      (answer) => { given.success?.(answer); given.complete?.(answer); },
      (error: unknown) => {
        const failure = error instanceof Failure ? error : new Failure(name, String(error instanceof Error ? error.message : error));
        given.fail?.(failure);
        given.complete?.(failure);
      },
    );
    return undefined;
  };
}

/** The listeners of an `on…` and `off…`. */
export class Listeners<Event> {
  private readonly all = new Set<(event: Event) => void>();
  readonly on = (listener: (event: Event) => void): void => void this.all.add(listener);
  readonly off = (listener?: (event: Event) => void): void => (listener ? void this.all.delete(listener) : this.all.clear());
  tell(event: Event): void {
    for (const listener of this.all) listener(event);
  }
}
