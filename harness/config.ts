/** Flags by their long names in camel case, as they would be typed: `{ payload: ["64", "4KiB"], trials: 20, limits: false }`. */
export type ConfigFlags = Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>;

/**
 * What `ipcmark.config.ts` may say. A flag on the command line goes before the section of its command, and that before `flags`.
 * Paths are relative to the file.
 */
export interface Config {
  /** For every command that knows the flag. */
  readonly flags?: ConfigFlags;
  readonly compare?: ConfigFlags;
  readonly check?: ConfigFlags;
  readonly measure?: ConfigFlags;
  readonly gate?: ConfigFlags;
  readonly report?: ConfigFlags;
  readonly list?: ConfigFlags;
  readonly doctor?: ConfigFlags;
}

/** Gives an editor the type of a configuration; returns it as it is. */
export function defineConfig(config: Config): Config {
  return config;
}
