/**
 * Stores what this process has compiled so far, so that processes started meanwhile need not compile it again:
 * without it each starts about twice as slowly. Node stores it at the end of a process, but not of a killed one.
 */
export function shareCompiledCode(): void {
  // `flushCompileCache` is not in every Node 22; without it everything works, slower.
  (process.getBuiltinModule("node:module") as { flushCompileCache?: () => void }).flushCompileCache?.();
}
