// wx.request, uploadFile, downloadFile, connectSocket and the state of the network, on the browser's own.
import { Failure, Listeners, call } from "./call";
import type { Files } from "./files";

type Header = Record<string, string>;
interface Request { url: string; method?: string; data?: unknown; header?: Header; timeout?: number; dataType?: string; responseType?: string }
interface Upload { url: string; filePath: string; name: string; formData?: Record<string, string>; header?: Header; timeout?: number }
interface Download { url: string; header?: Header; filePath?: string; timeout?: number }
interface Task { abort(): void; onProgressUpdate(listener: (event: { progress: number; totalBytesSent?: number }) => void): void; offProgressUpdate(): void; onHeadersReceived(): void; offHeadersReceived(): void }

const USUAL_TIMEOUT_MS = 60_000;

/** The address on this very server: the page and the API have one origin, and no other is ever asked. */
export function ownAddress(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

function withQuery(address: string, data: unknown): string {
  if (data === null || typeof data !== "object") return address;
  const query = new URLSearchParams(Object.entries(data).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)])).toString();
  return query ? address + (address.includes("?") ? "&" : "?") + query : address;
}

const hasContentType = (header: Header) => Object.keys(header).some((name) => name.toLowerCase() === "content-type");

async function fetched(name: string, address: string, init: RequestInit, controller: AbortController, timeout: number): Promise<Response> {
  const timer = setTimeout(() => controller.abort("timeout"), timeout);
  try {
    return await fetch(address, { ...init, signal: controller.signal, credentials: "omit" });
  } catch (error) {
    const why = controller.signal.aborted ? (controller.signal.reason === "timeout" ? "timeout" : "abort") : String((error as Error).message);
    throw new Failure(name, why);
  } finally {
    clearTimeout(timer);
  }
}

export async function send(options: Request, controller = new AbortController()) {
  const method = (options.method ?? "GET").toUpperCase();
  const header: Header = { ...options.header };
  let address = ownAddress(options.url);
  let body: BodyInit | undefined;
  if (method === "GET") address = withQuery(address, options.data);
  else if (options.data !== undefined) body = options.data instanceof ArrayBuffer || typeof options.data === "string" ? options.data : JSON.stringify(options.data);
  if (!hasContentType(header)) header["content-type"] = "application/json";
  const answer = await fetched("request", address, { method, headers: header, body }, controller, options.timeout ?? USUAL_TIMEOUT_MS);
  const received = { statusCode: answer.status, header: Object.fromEntries(answer.headers), cookies: [] };
  if (options.responseType === "arraybuffer") return { ...received, data: await answer.arrayBuffer() };
  return { ...received, data: asData(await answer.text()) };
}

function asData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function upload(options: Upload, files: Files, task: { xhr?: XMLHttpRequest; progress: Listeners<{ progress: number; totalBytesSent: number }> }) {
  return new Promise<{ data: string; statusCode: number }>((done, failed) => {
    const file = files.get(options.filePath);
    if (!file) return failed(new Failure("uploadFile", "file not found"));
    const form = new FormData();
    for (const [name, value] of Object.entries(options.formData ?? {})) form.append(name, value);
    form.append(options.name, file, file.name);
    const xhr = (task.xhr = new XMLHttpRequest());
    xhr.open("POST", ownAddress(options.url));
    for (const [name, value] of Object.entries(options.header ?? {})) if (name.toLowerCase() !== "content-type") xhr.setRequestHeader(name, value);
    xhr.timeout = options.timeout ?? USUAL_TIMEOUT_MS;
    xhr.upload.onprogress = (event) => task.progress.tell({ progress: Math.round((100 * event.loaded) / event.total), totalBytesSent: event.loaded });
    xhr.onload = () => done({ data: xhr.responseText, statusCode: xhr.status });
    xhr.onerror = () => failed(new Failure("uploadFile", "network"));
    xhr.ontimeout = () => failed(new Failure("uploadFile", "timeout"));
    xhr.onabort = () => failed(new Failure("uploadFile", "abort"));
    xhr.send(form);
  });
}

async function download(options: Download, files: Files, controller: AbortController) {
  const answer = await fetched("downloadFile", ownAddress(options.url), { headers: options.header }, controller, options.timeout ?? USUAL_TIMEOUT_MS);
  const name = /filename="?([^";]+)/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "file";
  const path = files.keep(new File([await answer.blob()], name, { type: answer.headers.get("content-type") ?? "" }), options.filePath);
  return { statusCode: answer.status, tempFilePath: path, filePath: path, header: Object.fromEntries(answer.headers) };
}

/** A call that can be broken off: WeChat gives a task, and a promise is a task too. */
function task<T extends object>(started: T | undefined, abort: () => void, progress?: Listeners<{ progress: number; totalBytesSent: number }>): T & Task {
  const none = () => undefined;
  return Object.assign(started ?? ({} as T), { abort, onProgressUpdate: progress?.on ?? none, offProgressUpdate: progress?.off ?? none, onHeadersReceived: none, offHeadersReceived: none });
}

function connect(options: { url: string; header?: Header; protocols?: string[] }) {
  const address = new URL(ownAddress(options.url), location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  // A browser's WebSocket sends no header: the token goes as a subprotocol, as the API takes it.
  const bearer = options.header?.Authorization?.replace(/^Bearer /, "");
  const socket = new WebSocket(address, bearer ? ["bearer", bearer] : options.protocols);
  return {
    onOpen: (listener: () => void) => socket.addEventListener("open", () => listener()),
    onMessage: (listener: (event: { data: unknown }) => void) => socket.addEventListener("message", (event) => listener({ data: event.data })),
    onClose: (listener: (event: { code: number; reason: string }) => void) => socket.addEventListener("close", (event) => listener({ code: event.code, reason: event.reason })),
    onError: (listener: (event: { errMsg: string }) => void) => socket.addEventListener("error", () => listener({ errMsg: "connectSocket:fail" })),
    send: (message: { data: string | ArrayBuffer }) => socket.send(message.data),
    close: (how: { code?: number; reason?: string } = {}) => socket.close(how.code, how.reason),
  };
}

export function network(files: Files) {
  const status = new Listeners<{ isConnected: boolean; networkType: string }>();
  const now = () => ({ isConnected: navigator.onLine, networkType: navigator.onLine ? "wifi" : "none" });
  addEventListener("online", () => status.tell(now()));
  addEventListener("offline", () => status.tell(now()));
  return {
    request(options: Request) {
      const controller = new AbortController();
      return task(call("request", (given: Request) => send(given, controller))(options), () => controller.abort("abort"));
    },
    uploadFile(options: Upload) {
      const one: Parameters<typeof upload>[2] = { progress: new Listeners() };
      return task(call("uploadFile", (given: Upload) => upload(given, files, one))(options), () => one.xhr?.abort(), one.progress);
    },
    downloadFile(options: Download) {
      const controller = new AbortController();
      return task(call("downloadFile", (given: Download) => download(given, files, controller))(options), () => controller.abort("abort"));
    },
    connectSocket: connect,
    getNetworkType: call("getNetworkType", () => ({ networkType: now().networkType })),
    onNetworkStatusChange: status.on,
    offNetworkStatusChange: status.off,
  };
}
