// What pool_node.ts uses of Node. Node's own types would bring its globals into code that also runs in browsers.

declare module 'node:fs/promises' {
  export function readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

declare module 'node:os' {
  export function availableParallelism(): number;
}

declare module 'node:path' {
  export function join(...parts: string[]): string;
}

declare module 'node:worker_threads' {
  export interface Worker {
    readonly performance: { eventLoopUtilization(): { readonly idle: number } };
    on(event: 'error', listener: (error: unknown) => void): void;
    on(event: 'exit', listener: (code: number) => void): void;
    terminate(): Promise<number>;
  }
}

declare const __dirname: string;
