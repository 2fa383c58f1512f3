// The staff API's client: JSON both ways, the token against forged requests on all that
// changes something, and one kind of error.
import { createContext } from "preact";
import { useContext } from "preact/hooks";

// What went wrong with a request. code is the server's own word for it; "offline" and
// "broken" are ours, for no answer and for one that cannot be read.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfter: number, // seconds; 0 = not said
    readonly body: Record<string, unknown>,
  ) {
    super(message);
  }
}

// isAbort tells a request that was given up on purpose from one that failed.
export function isAbort(err: unknown): boolean {
  return err instanceof DOMException && err.name === "AbortError";
}

export class Api {
  private token = "";
  private ahead = 0;

  // onSignedOut is called when the server no longer knows who asks.
  constructor(private readonly onSignedOut: () => void) {}

  // trust sets the token that GET me gave.
  trust(token: string): void {
    this.token = token;
  }

  // skew is how many milliseconds the server's clock is ahead of this one, to a second; 0
  // while nothing was answered, or they are as good as equal.
  skew(): number {
    return this.ahead;
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.send<T>("GET", path, undefined, signal);
  }

  post<T>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
    return this.send<T>("POST", path, body, signal);
  }

  put<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.send<T>("PUT", path, body, signal);
  }

  delete<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.send<T>("DELETE", path, undefined, signal);
  }

  private async send<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (method !== "GET") {
      headers["content-type"] = "application/json";
      headers["x-csrf-token"] = this.token;
    }
    let answer: Response;
    try {
      answer = await fetch(`/api/v1/${path}`, {
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      });
    } catch (err) {
      if (isAbort(err)) throw err;
      throw new ApiError(0, "offline", "", 0, {});
    }
    const said = Date.parse(answer.headers.get("date") ?? "");
    if (!Number.isNaN(said)) this.ahead = Math.abs(said + 500 - Date.now()) > 1_500 ? said + 500 - Date.now() : 0; // it has whole seconds
    if (answer.ok) {
      if (answer.status === 204) return undefined as T;
      const text = await answer.text();
      if (text === "") return undefined as T;
      try {
        return JSON.parse(text) as T;
      } catch {
        throw new ApiError(answer.status, "broken", "", 0, {});
      }
    }
    const err = await refusal(answer);
    if (err.status === 401 && err.code === "login" && path !== "me") this.onSignedOut();
    throw err;
  }
}

async function refusal(answer: Response): Promise<ApiError> {
  let body: Record<string, unknown> = {};
  try {
    const read: unknown = await answer.json();
    if (typeof read === "object" && read !== null) body = read as Record<string, unknown>;
  } catch {
    // The status has to do: something between us and the server answered.
  }
  const text = (key: string) => (typeof body[key] === "string" ? (body[key] as string) : "");
  const after = Number(answer.headers.get("retry-after") ?? "");
  return new ApiError(answer.status, text("code") || `status_${answer.status}`, text("message"), Number.isFinite(after) ? after : 0, body);
}

// pathOf joins parts to a path, each safely written; a file's own slashes stay.
export function pathOf(...parts: string[]): string {
  return parts.map((part) => part.split("/").map(encodeURIComponent).join("/")).join("/");
}

export const ApiContext = createContext<Api>(new Api(() => {}));

export function useApi(): Api {
  return useContext(ApiContext);
}
