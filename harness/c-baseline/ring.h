/*
 * The ring of transports/shared-memory/ring.ts in C, for comparison: the same frames, padding, publication of positions
 * and checks of the other side's words.
 */
#ifndef IPCMARK_RING_H
#define IPCMARK_RING_H
#include <stdint.h>
#include <string.h>

#define RING_BYTES (4u * 1024 * 1024)
#define FRAME_BYTES 8u
#define PADDING 0xffffffffu

struct shared_ring {
  _Alignas(128) uint32_t tail;
  _Alignas(128) uint32_t head;
  _Alignas(4096) uint8_t data[RING_BYTES];
};

struct writer {
  struct shared_ring *ring;
  uint32_t tail, head, sequence;
};

struct reader {
  struct shared_ring *ring;
  uint32_t tail, head, published, sequence;
  int freed;
  int spins; /* room is given back when a while of polling found nothing, not between two replies */
};

static inline uint32_t frame_bytes(uint32_t length) { return (length + FRAME_BYTES + 7) & ~7u; }

static inline void put_frame(struct writer *w, uint32_t at, uint32_t length) {
  uint32_t frame[2] = {length, w->sequence++};
  memcpy(w->ring->data + at, frame, sizeof frame);
}

/* Returns 1: written, 0: no room, -1: the position of the other side is impossible. */
static inline int ring_write(struct writer *w, const void *message, uint32_t length) {
  uint32_t need = frame_bytes(length), at = w->tail & (RING_BYTES - 1), to_end = RING_BYTES - at;
  uint32_t filling = need > to_end ? to_end : 0;
  if (RING_BYTES - (w->tail - w->head) < filling + need) {
    uint32_t head = __atomic_load_n(&w->ring->head, __ATOMIC_ACQUIRE), used = w->tail - head;
    if (used > w->tail - w->head || (used & 7)) return -1;
    w->head = head;
    if (RING_BYTES - used < filling + need) return 0;
  }
  if (filling) {
    put_frame(w, at, PADDING);
    at = 0;
  }
  put_frame(w, at, length);
  memcpy(w->ring->data + at + FRAME_BYTES, message, length);
  w->tail += filling + need;
  /* Sequentially consistent, as in JavaScript: the read of the other side's sleep must not move before it. */
  __atomic_store_n(&w->ring->tail, w->tail, __ATOMIC_SEQ_CST);
  return 1;
}

static inline void ring_publish(struct reader *r) {
  r->published = r->head;
  __atomic_store_n(&r->ring->head, r->head, __ATOMIC_SEQ_CST);
  r->freed = 1;
}

static inline int ring_ready(const struct reader *r) {
  return r->head != r->tail || __atomic_load_n(&r->ring->tail, __ATOMIC_SEQ_CST) != r->head;
}

/* Returns the length, -1: empty, -2: not valid. */
static inline int64_t ring_read(struct reader *r, void *into, uint32_t room) {
  if (r->tail == r->head) {
    uint32_t tail = __atomic_load_n(&r->ring->tail, __ATOMIC_SEQ_CST), available = tail - r->head;
    if (available == 0) {
      if (!r->spins && r->published != r->head) ring_publish(r);
      return -1;
    }
    if (available > RING_BYTES - (r->head - r->published) || (available & 7)) return -2;
    r->tail = tail;
  }
  uint32_t available = r->tail - r->head, at = r->head & (RING_BYTES - 1), frame[2];
  memcpy(frame, r->ring->data + at, sizeof frame);
  if (frame[1] != r->sequence) return -2;
  if (frame[0] == PADDING) {
    uint32_t filling = RING_BYTES - at;
    if (at == 0 || filling + FRAME_BYTES > available) return -2;
    available -= filling;
    r->head += filling;
    r->sequence++;
    at = 0;
    memcpy(frame, r->ring->data, sizeof frame);
    if (frame[1] != r->sequence) return -2;
  }
  uint32_t length = frame[0];
  if (length > RING_BYTES / 2 - FRAME_BYTES || length > room) return -2;
  uint32_t bytes = frame_bytes(length);
  if (bytes > available || at + bytes > RING_BYTES) return -2;
  memcpy(into, r->ring->data + at + FRAME_BYTES, length);
  r->head += bytes;
  r->sequence++;
  if (r->head - r->published >= RING_BYTES / 4) ring_publish(r);
  return length;
}
#endif
