import type { Check } from "../../transports/contract/check.ts";
import { concurrentClients } from "./concurrent-clients.ts";
import { sequentialRequests } from "./sequential-requests.ts";

export const SCENARIOS: readonly Check[] = [sequentialRequests, concurrentClients];
