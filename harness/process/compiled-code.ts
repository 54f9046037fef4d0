/**
 * Stores the code that this process has compiled so far, so that other processes need not compile it again; without it
 * each starts about twice as slowly. Node itself stores it only at the end of a process, and not if it is killed.
 */
export function shareCompiledCode(): void {
  // `flushCompileCache` is not in every Node 22; without it everything works, but slower.
  (process.getBuiltinModule("node:module") as { flushCompileCache?: () => void }).flushCompileCache?.();
}
