/** Types for the used part of the package tar, so that types can be checked before it is installed. */
declare module "tar" {
  export interface HeaderFields {
    readonly path: string;
    readonly mode: number;
    readonly size: number;
    readonly type: "File";
    readonly mtime: Date;
  }
  export class Header {
    constructor(fields: HeaderFields);
    /** @returns true where the fields do not fit and need an extended header */
    encode(block: Buffer): boolean;
  }
  export interface ReadEntry {
    readonly path: string;
    readonly type: string;
    readonly size: number;
    on(event: "data", listener: (part: Buffer) => void): this;
    on(event: "end", listener: () => void): this;
    resume(): void;
  }
  export class Parser {
    constructor(options: { readonly strict: boolean; readonly onReadEntry: (entry: ReadEntry) => void });
    on(event: "ignoredEntry", listener: (entry: ReadEntry) => void): this;
    on(event: "end", listener: () => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    end(bytes: Buffer): void;
  }
}
