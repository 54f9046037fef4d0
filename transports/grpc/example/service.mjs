// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// What both ends agree on. Messages are bytes here; with protobuf, the generated code takes the place of this file.

export const MAX_BYTES = 1024 * 1024;

/** Longer messages end with RESOURCE_EXHAUSTED. No retries: a request may have arrived, so the caller decides. */
export const OPTIONS = {
  "grpc.max_receive_message_length": MAX_BYTES,
  "grpc.max_send_message_length": MAX_BYTES,
  "grpc.enable_retries": 0,
};

const same = (bytes) => bytes;
export const SERVICE = {
  shout: {
    path: "/example.Shouter/Shout",
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};
