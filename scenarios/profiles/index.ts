import type { Profile } from "../profile.ts";
import { auditable } from "./auditable.ts";
import { blob } from "./blob.ts";
import { childProcess } from "./child-process.ts";
import { fanOut } from "./fan-out.ts";
import { manyClients } from "./many-clients.ts";
import { portable } from "./portable.ts";
import { rpc } from "./rpc.ts";
import { schema } from "./schema.ts";
import { smallAndFast } from "./small-and-fast.ts";
import { toolServer } from "./tool-server.ts";
import { withPython } from "./with-python.ts";

/** All profiles: questions that many people ask. README.md has them as a table. The first is the default. */
export const PROFILES: readonly [Profile, ...Profile[]] = [
  rpc,
  smallAndFast,
  blob,
  manyClients,
  fanOut,
  auditable,
  withPython,
  portable,
  schema,
  childProcess,
  toolServer,
];
