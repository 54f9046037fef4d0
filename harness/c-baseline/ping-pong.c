/*
 * The C baseline: the same mechanisms and the same work in plain C. Header and body are one message of 16 + n bytes,
 * copied in and out; waits have a time-out; there are two processes. Both touch the memory of their loops before.
 *
 *   ping-pong <mechanism> <cpu of client> <cpu of server> <body bytes> <warm-up> <round trips>
 *                          64,4096 and 400,300: one size after the other
 *                          warm-up 100,4: at least 100 messages and at least 4 ms, before each size
 *   ping-pong <mechanism> <cpu of client> <cpu of server> <body bytes>
 *                          each line of stdin states a number of round trips; prints their median
 *                          between lines both processes sleep, so that others can take turns with them
 *   ping-pong spin-stream …    one way; the time runs until the server has counted the last message
 *   ping-pong memcpy …         no second process: copies of so many bytes, the memory bus alone
 *   ping-pong echo <unix|pipe|queue> <cpu of server> <address>      only the server, for one client of ours (echo.h)
 *
 * Prints one number per line: nanoseconds of each round trip, or of a whole stream. An empty line ends each size.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ring.h"

#define HEADER_BYTES 16
/* First byte of a queue's last message. */
#define BYE 5
#define SLICE_NS 50000000L
#define LARGEST (1 << 20)
#define LOOKS 512
#define PAGE_BYTES 4096

enum mechanism { SPIN, FUTEX, SEMAPHORE, QUEUE, UNIX, SPIN_STREAM, TCP, PIPE, MEMCPY };
#define MECHANISMS 9
/* Longer than any run: a process whose other end is gone must end. */
#define LIFE_SECONDS 60

struct shared {
  struct shared_ring requests, replies;
  _Alignas(128) uint32_t server_rest;
  _Alignas(128) uint32_t client_rest;
  _Alignas(128) uint32_t done;
  /* Incremented when the server has `messages` more to serve; it sleeps on it in between. */
  _Alignas(128) uint32_t turn;
  uint64_t messages;
};

struct end {
  enum mechanism kind;
  struct writer out;
  struct reader in;
  uint32_t *own_rest, *peer_rest;
  sem_t *own_semaphore, *peer_semaphore;
  mqd_t to, from;
  int in_fd, out_fd;    /* unix, tcp, pipe */
  uint8_t *packet;      /* mq: prefix and message; streams: length and message */
  uint8_t *buffered;    /* streams: bytes of the last read */
  uint8_t *message;     /* the last received message */
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* Returns the number at that place of a list such as 64,4096; 0 behind its end. */
static uint64_t nth(const char *list, int place) {
  for (; place > 0 && list; place--)
    if ((list = strchr(list, ','))) list++;
  return list ? strtoull(list, NULL, 10) : 0;
}

static int64_t now_ns(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static struct timespec deadline(clockid_t clock) {
  int64_t at = now_ns(clock) + SLICE_NS;
  return (struct timespec){at / 1000000000, at % 1000000000};
}

/*
 * Touches every page for this process, which has page tables of its own; a ring is new memory for its first round.
 * It changes nothing, so both ends may do it at once.
 */
static void touch(void *memory, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  /* Populates in one call. The loop below serves kernels without it, and hypervisors where a page still faults. */
  if (madvise(memory, bytes, MADV_POPULATE_WRITE)) errno = 0;
#endif
  for (size_t at = 0; at < bytes; at += PAGE_BYTES) __atomic_fetch_or((uint8_t *)memory + at, 0, __ATOMIC_RELAXED);
}

/* Allocates the largest message, touched as far as the messages of this run will use it. */
static uint8_t *buffer(size_t room, size_t used) {
  uint8_t *memory = calloc(1, room);
  if (memory == NULL) die("calloc");
  touch(memory, used < room ? used : room);
  return memory;
}

static int is_stream(enum mechanism kind) { return kind == UNIX || kind == TCP || kind == PIPE; }

static void give_buffers(struct end *e, size_t used) {
  e->packet = buffer(LARGEST + 64, used);
  e->buffered = buffer(2 * LARGEST, used);
  e->message = buffer(LARGEST, used);
}

static void wake(struct end *e) {
  uint32_t one = 1;
  if (__atomic_load_n(e->peer_rest, __ATOMIC_SEQ_CST) != 1) return;
  if (!__atomic_compare_exchange_n(e->peer_rest, &one, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  if (e->kind == FUTEX) syscall(SYS_futex, e->peer_rest, FUTEX_WAKE, 1, NULL, NULL, 0);
  else sem_post(e->peer_semaphore);
}

static void rest(struct end *e) {
  if (e->kind == SPIN || e->kind == SPIN_STREAM) {
    for (int i = 0; i < LOOKS; i++)
      if (ring_ready(&e->in)) return;
    if (e->in.published != e->in.head) ring_publish(&e->in);
    while (!ring_ready(&e->in)) {}
    return;
  }
  __atomic_store_n(e->own_rest, 1, __ATOMIC_SEQ_CST);
  if (!ring_ready(&e->in)) {
    if (e->kind == FUTEX) {
      struct timespec limit = {0, SLICE_NS};
      syscall(SYS_futex, e->own_rest, FUTEX_WAIT, 1, &limit, NULL, 0);
    } else {
      struct timespec until = deadline(CLOCK_MONOTONIC);
      sem_clockwait(e->own_semaphore, CLOCK_MONOTONIC, &until);
    }
  }
  __atomic_store_n(e->own_rest, 0, __ATOMIC_SEQ_CST);
}

static void send_message(struct end *e, const uint8_t *message, uint32_t length) {
  if (e->kind == QUEUE) {
    struct timespec until = deadline(CLOCK_REALTIME);
    memcpy(e->packet + 8, message, length);
    if (mq_timedsend(e->to, (char *)e->packet, length + 8, 0, &until)) die("mq_timedsend");
    return;
  }
  if (is_stream(e->kind)) {
    memcpy(e->packet, &length, 4);
    memcpy(e->packet + 4, message, length);
    for (uint32_t sent = 0; sent < length + 4;) {
      ssize_t n = write(e->out_fd, e->packet + sent, length + 4 - sent);
      if (n < 0 && errno != EAGAIN && errno != EINTR) die("write");
      if (n > 0) sent += n;
    }
    return;
  }
  for (;;) {
    int written = ring_write(&e->out, message, length);
    if (written < 0) die("ring_write");
    if (written) break;
  }
  if (e->kind != SPIN && e->kind != SPIN_STREAM) wake(e);
}

static uint32_t receive_message(struct end *e, uint8_t *into) {
  if (e->kind == QUEUE) {
    for (;;) {
      struct timespec until = deadline(CLOCK_REALTIME);
      ssize_t n = mq_timedreceive(e->from, (char *)e->packet, 8192, NULL, &until);
      if (n >= 0) {
        /* The echo server's client has left. */
        if (e->packet[0] == BYE) exit(0);
        memcpy(into, e->packet + 8, n - 8);
        return n - 8;
      }
      if (errno != ETIMEDOUT && errno != EINTR) die("mq_timedreceive");
    }
  }
  if (is_stream(e->kind)) {
    uint32_t have = 0, length = 0;
    while (have < 4 || have < length + 4) {
      /* A pipe has no time-out, so poll waits. */
      struct pollfd ready = {e->in_fd, POLLIN, 0};
      if (e->kind == PIPE) poll(&ready, 1, SLICE_NS / 1000000);
      ssize_t n = read(e->in_fd, e->buffered + have, LARGEST);
      if (n == 0) exit(0);
      if (n < 0 && errno != EAGAIN && errno != EINTR) die("read");
      if (n > 0) have += n;
      if (have >= 4) memcpy(&length, e->buffered, 4);
    }
    memcpy(into, e->buffered + 4, length);
    return length;
  }
  for (;;) {
    int64_t length = ring_read(&e->in, into, LARGEST);
    if (length >= 0) return length;
    if (length < -1) die("ring_read");
    rest(e);
  }
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set)) die("sched_setaffinity");
}

static void serve(struct end *e, struct shared *shared, uint64_t messages) {
  uint8_t *message = e->message;
  for (uint64_t i = 0; i < messages; i++) {
    uint32_t length = receive_message(e, message), id;
    if (e->kind == SPIN_STREAM) continue;
    memcpy(&id, message, 4);
    message[4] = 2; /* a reply */
    send_message(e, message, length);
  }
  __atomic_store_n(&shared->done, 1, __ATOMIC_SEQ_CST);
}

static void serve_turns(struct end *e, struct shared *shared) {
  for (uint32_t seen = 0;; seen++) {
    while (__atomic_load_n(&shared->turn, __ATOMIC_SEQ_CST) == seen)
      syscall(SYS_futex, &shared->turn, FUTEX_WAIT, seen, NULL, NULL, 0);
    alarm(LIFE_SECONDS);
    serve(e, shared, shared->messages);
  }
}

#include "pairs.h"
#include "echo.h"
#include "ask.h"

static int kind_of(const char *name) {
  static const char *names[] = {"spin", "futex", "semaphore", "queue", "unix", "spin-stream", "tcp", "pipe", "memcpy"};
  for (int i = 0; i < MECHANISMS; i++)
    if (!strcmp(name, names[i])) return i;
  return -1;
}

static int serve_others(int kind, int cpu, const char *address) {
  static struct shared nothing;
  struct end server = {.kind = kind};
  if (kind != UNIX && kind != PIPE && kind != QUEUE) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin(cpu);
  give_buffers(&server, 0);
  echo(&server, &nothing, address);
  return 0;
}

/* Touches all memory that the loops of this end use, in the process that runs them. */
static void get_ready(struct end *e, struct shared *shared, sem_t *semaphores, const char *bodies) {
  size_t largest = 0;
  for (int i = 0; nth(bodies, i); i++)
    if (nth(bodies, i) > largest) largest = nth(bodies, i);
  give_buffers(e, HEADER_BYTES + largest + PAGE_BYTES);
  touch(semaphores, PAGE_BYTES);
  if (e->kind != QUEUE && !is_stream(e->kind)) touch(shared, sizeof *shared);
}

int main(int argc, char **argv) {
  alarm(LIFE_SECONDS);
  signal(SIGPIPE, SIG_IGN);
  if (argc == 5 && !strcmp(argv[1], "echo")) return serve_others(kind_of(argv[2]), atoi(argv[3]), argv[4]);
  int kind = argc == 7 || argc == 5 ? kind_of(argv[1]) : -1;
  if (kind < 0) {
    fprintf(stderr,
            "usage: ping-pong <mechanism> <client cpu> <server cpu> <body bytes>[,...] [<warm-up> <count>[,...]]\n");
    return 2;
  }
  const char *bodies = argv[4], *warmth = argc == 7 ? argv[5] : "", *counts = argc == 7 ? argv[6] : "";
  if (kind == MEMCPY) {
    pin(atoi(argv[2]));
    for (int i = 0; nth(bodies, i); i++, puts("")) copy_only(nth(bodies, i), nth(warmth, 0), nth(counts, i));
    return 0;
  }
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  sem_t *semaphores = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED || semaphores == MAP_FAILED) die("mmap");
  sem_init(&semaphores[0], 1, 0);
  sem_init(&semaphores[16], 1, 0);
  struct end client = {.kind = kind}, server = {.kind = kind};
  client.out.ring = server.in.ring = &shared->requests;
  server.out.ring = client.in.ring = &shared->replies;
  client.in.spins = server.in.spins = kind == SPIN || kind == SPIN_STREAM;
  client.own_rest = server.peer_rest = &shared->client_rest;
  server.own_rest = client.peer_rest = &shared->server_rest;
  client.own_semaphore = server.peer_semaphore = &semaphores[0];
  server.own_semaphore = client.peer_semaphore = &semaphores[16];
  if (kind == QUEUE) {
    open_queues(&client.to, &client.from);
    server.from = client.to;
    server.to = client.from;
  }
  if (is_stream(kind)) open_stream(&client, &server);
  pid_t parent = getpid(), child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) exit(1);
    alarm(LIFE_SECONDS);
    /* A process that holds the other's end never sees it close. */
    close_stream(&client);
    pin(atoi(argv[3]));
    get_ready(&server, shared, semaphores, bodies);
    serve_turns(&server, shared);
  }
  close_stream(&server);
  pin(atoi(argv[2]));
  get_ready(&client, shared, semaphores, bodies);
  /* Until it is killed. */
  if (argc == 7 && kind != SPIN_STREAM) turn(shared, UINT64_MAX);
  for (int i = 0; nth(bodies, i); i++) {
    struct asker asker = new_asker(&client, shared, nth(bodies, i));
    if (argc == 7) ask_once(&asker, warmth, nth(counts, i)), puts("");
    else ask_turns(&asker);
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return 0;
}
