/**
 * Shortens a name to the room there is, in its middle: names of a family share their beginning, variants their end.
 * Cutting either would make two rows equal.
 * @param {string} name @param {number} room @param {(text: string) => number} widthOf
 */
export function fitted(name, room, widthOf) {
  if (widthOf(name) <= room) return name;
  for (let kept = name.length - 1; kept > 1; kept--) {
    const head = Math.ceil(kept / 2);
    const text = `${name.slice(0, head)}…${name.slice(name.length - (kept - head))}`;
    if (widthOf(text) <= room) return text;
  }
  return "…";
}
