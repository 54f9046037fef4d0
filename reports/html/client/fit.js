/**
 * A name in the room there is, shortened in the middle: names of a family share their beginning, variants their end, and
 * cutting either would make two rows read the same.
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
