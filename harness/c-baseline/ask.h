/* The client: warm-up, round trips and streams with their times. */
#ifndef IPCMARK_ASK_H
#define IPCMARK_ASK_H

struct asker {
  struct end *end;
  struct shared *shared;
  uint8_t *request, *reply;
  uint32_t bytes;
};

static struct asker new_asker(struct end *e, struct shared *shared, uint32_t body) {
  struct asker a = {e, shared, buffer(LARGEST, HEADER_BYTES + body), e->message, HEADER_BYTES + body};
  memcpy(a.request + 8, &body, 4);
  for (uint32_t i = 0; i < body; i++) a.request[HEADER_BYTES + i] = i * 31;
  return a;
}

/* Returns the time at its end. */
static int64_t round_trip(struct asker *a, uint32_t id) {
  uint32_t got;
  memcpy(a->request, &id, 4);
  send_message(a->end, a->request, a->bytes);
  uint32_t length = receive_message(a->end, a->reply);
  int64_t now = now_ns(CLOCK_MONOTONIC);
  memcpy(&got, a->reply, 4);
  if (length != a->bytes || got != id || a->reply[a->bytes - 1] != a->request[a->bytes - 1]) {
    fprintf(stderr, "a wrong reply\n");
    exit(1);
  }
  return now;
}

/* Takes one sample per round trip, and reads the clock once: the end of one is the start of the next. */
static void ask(struct asker *a, uint64_t count, int64_t *samples) {
  int64_t last = now_ns(CLOCK_MONOTONIC);
  for (uint64_t i = 0; i < count; i++) {
    int64_t now = round_trip(a, i);
    samples[i] = now - last;
    last = now;
  }
}

/* Sends at least so many messages, for at least that time since the first reply; then the other end is ready too. */
static void warm_up(struct asker *a, uint64_t messages, int64_t least_ns) {
  int64_t started = round_trip(a, 0), now = started;
  for (uint64_t i = 0; i < messages || now - started < least_ns; i++) now = round_trip(a, i);
}

/* Returns the nanoseconds until the server has the last message. */
static int64_t pour(struct asker *a, uint64_t count) {
  int64_t started = now_ns(CLOCK_MONOTONIC);
  for (uint64_t i = 0; i < count; i++) {
    uint32_t id = i;
    memcpy(a->request, &id, 4);
    send_message(a->end, a->request, a->bytes);
  }
  while (!__atomic_load_n(&a->shared->done, __ATOMIC_SEQ_CST)) {}
  return now_ns(CLOCK_MONOTONIC) - started;
}

static void turn(struct shared *shared, uint64_t messages) {
  shared->messages = messages;
  __atomic_store_n(&shared->done, 0, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&shared->turn, 1, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int64_t *new_samples(uint64_t count) {
  return (int64_t *)buffer(count * sizeof(int64_t), count * sizeof(int64_t));
}

static void ask_once(struct asker *a, const char *warmth, uint64_t count) {
  if (a->end->kind == SPIN_STREAM) {
    turn(a->shared, nth(warmth, 0) + count);
    printf("%lld\n", (long long)pour(a, nth(warmth, 0) + count));
    return;
  }
  int64_t *samples = new_samples(count);
  warm_up(a, nth(warmth, 0), nth(warmth, 1) * 1000000);
  ask(a, count, samples);
  for (uint64_t i = 0; i < count; i++) printf("%lld\n", (long long)samples[i]);
  free(samples);
}

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void ask_turns(struct asker *a) {
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    uint64_t count = atoll(line);
    int64_t *samples = new_samples(count);
    alarm(LIFE_SECONDS);
    turn(a->shared, count);
    if (a->end->kind == SPIN_STREAM) printf("%lld\n", (long long)pour(a, count));
    else {
      ask(a, count, samples);
      qsort(samples, count, sizeof *samples, by_value);
      printf("%lld\n", (long long)samples[(count - 1) / 2]);
    }
    fflush(stdout);
    free(samples);
  }
}

/* The memory bus alone: prints one number per copy. */
static void copy_only(uint32_t bytes, uint64_t messages, uint64_t count) {
  uint8_t *from = buffer(bytes, bytes), *to = buffer(bytes, bytes);
  memset(from, 1, bytes);
  for (uint64_t i = 0; i < messages + count; i++) {
    int64_t started = now_ns(CLOCK_MONOTONIC);
    from[i % bytes]++;
    memcpy(to, from, bytes);
    __asm__ volatile("" : : "r"(to) : "memory");
    if (i >= messages) printf("%lld\n", (long long)(now_ns(CLOCK_MONOTONIC) - started));
  }
}
#endif
