// Drawing in pieces, each in a task of its own: in between the page answers its reader.

/** @type {(() => void)[]} */
let waiting = [];
let timer = 0;

/**
 * Draws pieces one after the other. What an earlier choice has left to draw is dropped.
 * @param {readonly (() => void)[]} pieces
 */
export function drawLater(pieces) {
  waiting = [...pieces];
  next();
}

/** Draws at once all that still waits, such as before printing. */
export function drawNow() {
  for (const piece of waiting.splice(0)) piece();
  next();
}

function next() {
  clearTimeout(timer);
  // Names the state for tests, since a canvas has no sign of being complete.
  document.documentElement.toggleAttribute("data-drawing", waiting.length > 0);
  if (waiting.length === 0) return;
  timer = setTimeout(() => {
    waiting.shift()?.();
    next();
  });
}
