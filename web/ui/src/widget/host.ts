// What the talk needs of the browser: time, chance, sockets and places to keep things.
// Tests give their own.

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Keep {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

export interface Host {
  now(): number; // milliseconds
  after(ms: number, run: () => void): () => void; // gives what calls it off
  random(): number; // 0 to 1
  id(): string; // 128 random bits
  connect(url: string, subprotocol: string): Socket;
  local: Keep; // shared by the tabs of this browser, stays
  session: Keep; // of this tab, goes with it
}

export const browser: Host = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  id: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(""),
  connect: (url, subprotocol) => new WebSocket(url, subprotocol) as Socket,
  local: keep(() => localStorage),
  session: keep(() => sessionStorage),
};

// keep uses a storage of the browser. Where it is refused or full, as in some private
// windows, things are kept as long as the page.
function keep(storage: () => Storage): Keep {
  const memory = new Map<string, string>();
  function attempt<T>(use: (s: Storage) => T, otherwise: T): T {
    try {
      return use(storage());
    } catch {
      return otherwise;
    }
  }
  return {
    get: (key) => memory.get(key) ?? attempt((s) => s.getItem(key), null),
    set(key, value) {
      memory.delete(key);
      if (!attempt((s) => (s.setItem(key, value), true), false)) {
        attempt((s) => s.removeItem(key), undefined); // an older value that stayed
        memory.set(key, value);
      }
    },
    remove(key) {
      memory.delete(key);
      attempt((s) => s.removeItem(key), undefined);
    },
    keys: () => [...memory.keys(), ...attempt((s) => Object.keys(s), [])],
  };
}
