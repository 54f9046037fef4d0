/** Parts of a run, in order. The start of the process and the writing of the report are in none of them. */
export interface RunPhases {
  readonly checksMs: number;
  readonly calibrationMs: number;
  readonly roundsMs: number;
}
