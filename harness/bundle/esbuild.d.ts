/** The part of esbuild used here, to check types where this optional package is not installed. */
declare module "esbuild" {
  export interface BuildOptions {
    readonly [option: string]: unknown;
  }
  export interface PluginBuild {
    onResolve(
      filter: { readonly filter: RegExp },
      callback: (args: {
        readonly path: string;
        readonly kind: string;
        readonly namespace: string;
        readonly resolveDir: string;
        readonly pluginData: unknown;
      }) => Resolved | undefined | Promise<Resolved | undefined>,
    ): void;
    onLoad(
      filter: { readonly filter: RegExp; readonly namespace: string },
      callback: (args: { readonly path: string }) => {
        readonly contents: string;
        readonly resolveDir?: string;
        readonly loader?: "ts" | "js";
      },
    ): void;
    resolve(
      path: string,
      options: { readonly kind: string; readonly resolveDir: string; readonly pluginData: unknown },
    ): Promise<{ readonly path: string; readonly errors: readonly unknown[] }>;
  }
  export interface Plugin {
    readonly name: string;
    readonly setup: (build: PluginBuild) => void;
  }
  interface Resolved {
    readonly path: string;
    readonly namespace?: string;
    readonly external?: boolean;
  }
  export function build(options: BuildOptions): Promise<{
    readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[];
    readonly metafile: {
      readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;
    };
  }>;
  export function stop(): Promise<void>;
}
