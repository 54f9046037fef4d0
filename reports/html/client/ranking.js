// The ranking: one table and its plot.
import {
  ABSENT,
  bytes,
  duration,
  durationRange,
  quantity,
  quantityRange,
  ratio,
  ratioRange,
  significant,
} from "../../../harness/results/format.ts";
import { cellsIn, cellsOf, distinct, metricFor, rankCells, view } from "./data.js";
import { byId, element, svg } from "./dom.js";
import { mergedWarnings } from "./findings.js";
import { lookOf } from "./look.js";

/** @typedef {import("./data.js").State} State */
/** @typedef {import("./data.js").Ranked} Ranked */
/** @typedef {import("./data.js").Cell} Cell */

/** Marks of the standings: short, since the table has thirteen columns; the notes give their meaning. */
const STANDINGS = { best: "best", tied: "tie", behind: "", unknown: "?" };
const STANDING_COLUMN = 7;
/** Names of columns whose head is empty for the eye, for a screen reader. */
const UNSEEN_HEADS = /** @type {Record<number, string>} */ ({
  0: "rank",
  4: "plot of the ratio",
  [STANDING_COLUMN]: "standing",
});
const PLOT_WIDTH = 92;
const PLOT_HEIGHT = 18;

/**
 * Draws the rows of one placement, class, benchmark and size, with failed and not applicable ones and their reasons.
 * @param {State} state
 */
export function drawRanking(state) {
  const all = cellsOf(state);
  const cells = all.filter((cell) => cell.payload === state.payload);
  const metric = metricFor(all);
  const rows = rankCells(cells, metric);
  const withCBaseline = rows.some(({ cell }) => cell.cRatio !== "");
  const place = view.placements.find(({ id }) => id === state.placement)?.label ?? state.placement;
  const mode = view.modes.find(({ id }) => id === state.mode)?.label ?? state.mode;
  byId("ranking-title").textContent = `${cells[0]?.size ?? bytes(state.payload)}, ${mode}, ${place}`;
  const first = metric === "p50" ? "p50" : "messages/s";
  const heads = [
    "",
    "transport",
    first,
    "95 % interval",
    "",
    "ratio",
    "95 % interval",
    "",
    "p99",
    "messages/s",
    "CPU per message",
    "switches per message",
  ];
  if (withCBaseline) heads.push("× C");
  const layout = { metric, withCBaseline, scale: scaleOf(rows) };
  const body = rows.map((row, index) => measuredRow(row.cell, row, String(index + 1), layout));
  const baselines = cells.filter((cell) => cell.baseline && cell.status === "measured");
  const missing = cells.filter(
    (cell) =>
      cell.status === "failed" || (!cell.baseline && isMeasured(cell) && !rows.some((row) => row.cell === cell)),
  );
  byId("ranking-caption").textContent =
    `${state.benchmark}; ratio to the best of the rows shown, within the same rounds.`;
  const table = element(
    "table",
    {},
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...heads.map((text, at) =>
          element(
            "th",
            at === 1 || at === STANDING_COLUMN ? { scope: "col", class: "text" } : { scope: "col" },
            text === "" ? element("span", { class: "hidden" }, UNSEEN_HEADS[at] ?? "") : text,
          ),
        ),
      ),
    ),
    element("tbody", {}, ...body, ...missing.map((cell) => missingRow(cell, heads.length))),
  );
  if (baselines.length > 0)
    table.append(
      element("tbody", { class: "baselines" }, ...baselines.map((cell) => measuredRow(cell, undefined, "", layout))),
    );
  byId("ranking-table").replaceChildren(table);
  const floor = metric === "p50" ? rows[0] && view.tailFloors[rows[0].cell.placement] : undefined;
  drawNotes(cells, rows, floor, withCBaseline, baselines.length > 0);
  drawMissing(cells.filter((cell) => cell.status !== "failed" && !isMeasured(cell)));
}

/** @param {Cell} cell */
const isMeasured = (cell) => cell.status === "measured";

/** Folds the rows that cannot have a figure: how many, and why. @param {readonly Cell[]} cells */
function drawMissing(cells) {
  const counts = distinct(cells.map(({ status }) => status)).map(
    (status) => `${cells.filter((cell) => cell.status === status).length} ${status.replace("-", " ")}`,
  );
  const box = byId("missing");
  box.hidden = cells.length === 0;
  box.replaceChildren(
    element("summary", {}, `Without a figure here: ${counts.join(", ")}`),
    element(
      "ul",
      {},
      ...cells.map((cell) =>
        element("li", { "data-name": cell.name }, element("code", {}, cell.name), `: ${cell.missing}`),
      ),
    ),
  );
}

/**
 * @typedef {{ metric: "p50" | "messagesPerSecond", withCBaseline: boolean, scale: (value: number) => number }} Layout
 */

/**
 * Orders columns from the verdict to the detail, so that a narrow screen shows the important ones before it scrolls.
 * @param {Cell} cell @param {Ranked | undefined} row @param {string} rank @param {Layout} layout
 */
function measuredRow(cell, row, rank, layout) {
  const { metric, withCBaseline } = layout;
  const value = cell[metric];
  return element(
    "tr",
    { "data-name": cell.name, class: row?.standing === "best" ? "best" : "" },
    element("td", {}, rank),
    nameCell(cell),
    element("td", {}, metric === "p50" ? duration(value) : quantity(value)),
    element("td", {}, intervalText(cell, metric)),
    row ? element("td", { class: "forest" }, forest(row, layout.scale)) : element("td", {}),
    element("td", { class: "ratio" }, ratio(row?.ratio)),
    element("td", {}, ratioRange(row?.interval ?? null)),
    element("td", { class: "text standing" }, row ? STANDINGS[row.standing] : "baseline"),
    p99Cell(cell),
    element("td", {}, throughput(cell)),
    element("td", {}, duration(cell.cpuNs)),
    element("td", {}, cell.switches === null ? ABSENT : significant(cell.switches)),
    withCBaseline ? element("td", {}, cell.cRatio || ABSENT) : null,
  );
}

/** @param {Cell} cell */
function p99Cell(cell) {
  const title = lacksP99(cell) ? view.noP99 : cell.roughP99 ? view.roughP99 : "";
  return element("td", title === "" ? {} : { title }, (cell.roughP99 ? "~" : "") + duration(cell.p99));
}

/** True where a cell was measured and has a latency, but no p99. @param {Cell} cell */
function lacksP99(cell) {
  return cell.p50 !== null && cell.p99 === null;
}

/** @param {Cell} cell @param {"p50" | "messagesPerSecond"} metric */
function intervalText(cell, metric) {
  if (metric === "p50") return cell.p50 === null ? ABSENT : durationRange(cell.p50Interval, cell.p50);
  return quantityRange(cell.rateInterval, cell.messagesPerSecond ?? 0);
}

/** @param {Cell} cell @param {number} columns */
function missingRow(cell, columns) {
  return element(
    "tr",
    { "data-name": cell.name, class: `missing ${cell.status}` },
    element("td", {}, cell.status === "failed" ? "✗" : ABSENT),
    nameCell(cell),
    element("td", { class: "text reason", colspan: String(columns - 2) }, cell.missing),
  );
}

/** @param {Cell} cell */
function nameCell(cell) {
  return element(
    "th",
    { scope: "row" },
    swatch(cell.name),
    " ",
    element("code", {}, cell.name),
    cell.warnings.length > 0 ? " ⚠" : "",
  );
}

/** Returns the rate of the stream, which shows capacity best; a star marks that of round trips. @param {Cell} cell */
export function throughput(cell) {
  const stream = cellsIn(cell.placement).find(
    (other) =>
      other.benchmark === "throughput" &&
      other.name === cell.name &&
      other.mode === cell.mode &&
      other.payload === cell.payload,
  );
  const usesStream = cell.benchmark === "round-trip" && stream?.status === "measured";
  const rate = usesStream ? stream.messagesPerSecond : cell.messagesPerSecond;
  if (rate === null) return ABSENT;
  const mark = usesStream || cell.benchmark !== "round-trip" ? "" : stream ? "†" : "*";
  return quantity(rate) + mark;
}

/** Returns the logarithmic scale of ratios. @param {readonly Ranked[]} rows @returns {(value: number) => number} */
function scaleOf(rows) {
  const ends = [1, ...rows.flatMap((row) => row.interval ?? [row.ratio])].filter((value) => value > 0);
  const low = Math.log(Math.min(...ends) * 0.97);
  const high = Math.log(Math.max(...ends) * 1.03);
  return (value) => 4 + ((Math.log(value) - low) / (high - low || 1)) * (PLOT_WIDTH - 8);
}

/**
 * Draws ratio and interval on the scale of the table, before the line at 1.
 * @param {Ranked} row @param {(value: number) => number} scale
 */
function forest(row, scale) {
  const middle = PLOT_HEIGHT / 2;
  const parts = [svg("line", { class: "one", x1: scale(1), x2: scale(1), y1: 0, y2: PLOT_HEIGHT })];
  if (row.interval) {
    const [low, high] = row.interval.map(scale);
    parts.push(
      svg("line", {
        class: `bar ${lookOf(row.cell.name).className}`,
        x1: low ?? 0,
        x2: high ?? 0,
        y1: middle,
        y2: middle,
      }),
    );
  }
  parts.push(
    svg("circle", { class: `dot ${lookOf(row.cell.name).className}`, cx: scale(row.ratio), cy: middle, r: 3.5 }),
  );
  return svg(
    "svg",
    { width: PLOT_WIDTH, height: PLOT_HEIGHT, viewBox: `0 0 ${PLOT_WIDTH} ${PLOT_HEIGHT}`, "aria-hidden": "true" },
    ...parts,
  );
}

/** Draws line, dash and colour as in the charts. @param {string} name */
export function swatch(name) {
  const look = lookOf(name);
  const line = svg("line", {
    class: `bar ${look.className}`,
    x1: 0,
    x2: 26,
    y1: 5,
    y2: 5,
    "stroke-dasharray": look.dash.join(" ") || "none",
  });
  return svg("svg", { class: "swatch", width: 26, height: 10, "aria-hidden": "true" }, line);
}

/**
 * @param {readonly Cell[]} cells @param {readonly Ranked[]} rows @param {string | undefined} floor
 * @param {boolean} withCBaseline @param {boolean} withBaselines
 */
function drawNotes(cells, rows, floor, withCBaseline, withBaselines) {
  const notes = mergedWarnings(cells).map((text) => `⚠ ${text}`);
  if (floor !== undefined) notes.unshift(`Beside p99, ${floor}.`);
  if (cells.some((cell) => !cell.baseline && lacksP99(cell))) notes.unshift(view.noP99);
  if (cells.some(({ roughP99 }) => roughP99)) notes.unshift(view.roughP99);
  if (rows.some(({ standing }) => standing === "unknown")) notes.unshift(view.unknownNote);
  if (rows.some(({ standing }) => standing === "tied")) notes.unshift(view.tieNote);
  for (const { name, lossShare } of cells)
    if (lossShare !== null) notes.push(`${name} lost ${significant(lossShare * 100)} % of what was sent.`);
  notes.push(...new Set(cells.map((cell) => cell.peerNote).filter((note) => note !== "")));
  const marks = cells.map((cell) => throughput(cell).at(-1));
  if (marks.includes("*")) notes.push("* rate of round trips, one message at a time; a stream has another rate.");
  if (marks.includes("†")) {
    for (const cell of cells) {
      const stream = cellsIn(cell.placement).find(
        (other) =>
          other.benchmark === "throughput" &&
          other.status !== "measured" &&
          other.name === cell.name &&
          other.mode === cell.mode &&
          other.payload === cell.payload,
      );
      if (stream && throughput(cell).endsWith("†"))
        notes.push(
          `† ${cell.name}: the stream ${stream.status.replace("-", " ")}: ${stream.reason}; ` +
            "round trips per second are shown.",
        );
    }
  }
  if (withCBaseline)
    notes.push(view.cColumnNote, ...new Set(cells.map((cell) => cell.cNote).filter((note) => note !== "")));
  if (withBaselines) notes.push("Below the line: no process boundary is crossed, so it is no choice.");
  byId("ranking-notes").replaceChildren(...notes.map((text) => element("li", {}, text)));
}
