/** Used part of the bundled Socket.IO client. */
declare module "*/vendor/socket.io.esm.min.js" {
  interface Emitter {
    on(event: string, listener: (...args: any[]) => void): this;
    off(event: string, listener: (...args: any[]) => void): this;
  }

  interface Engine extends Emitter {
    readyState: "opening" | "open" | "closing" | "closed";
    once(event: "open", listener: () => void): this;
    close(): void;
  }

  interface Manager {
    engine: Engine; // undefined before the first `connect`
    opts: { transports: string[] };
  }

  export interface Socket extends Emitter {
    connected: boolean;
    active: boolean;
    io: Manager;
    connect(): this;
    disconnect(): this;
    emit(event: string, ...args: unknown[]): this;
  }

  export function io(options: Record<string, unknown>): Socket;
}
